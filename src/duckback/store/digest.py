"""SHA-256 of files: of the whole, and of the parts that a multipart upload will send."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

READ_SIZE = 1 << 20
MAX_PARTS = 10_000
"""S3's limit of parts in one upload."""


@dataclass(frozen=True)
class FileDigest:
    """Size in bytes, hex SHA-256, and the composite that S3 answers for an upload in parts of `part_size` bytes.

    `composite` is None where one part holds the whole file.
    """

    size: int
    sha256: str
    part_size: int
    composite: str | None


def fitting_part_size(size: int, part_size: int) -> int:
    """The wished part size in bytes, doubled until the file fits into the 10,000 parts that S3 allows."""
    while part_size * MAX_PARTS < size:
        part_size *= 2
    return part_size


def digest_file(path: Path, part_size: int) -> FileDigest:
    """Read a file once, in bounded memory, and return its digest.

    The composite is the base64 SHA-256 of the concatenated binary part digests, then "-" and the number of parts
    (Amazon S3 User Guide, "Checking object integrity", composite checksums).
    """
    part_size = fitting_part_size(path.stat().st_size, part_size)
    whole = hashlib.sha256()
    parts = []
    size = 0
    with path.open("rb") as file:
        multipart = path.stat().st_size > part_size
        while block := file.read(min(READ_SIZE, part_size - size % part_size)):
            whole.update(block)
            if multipart:
                if size % part_size == 0:
                    parts.append(hashlib.sha256())
                parts[-1].update(block)
            size += len(block)
    composite = composite_of([part.digest() for part in parts]) if parts else None
    return FileDigest(size, whole.hexdigest(), part_size, composite)


def composite_of(parts: list[bytes]) -> str:
    """The composite of an upload, from the binary SHA-256 of each of its parts, in order."""
    joined = hashlib.sha256(b"".join(parts)).digest()
    return f"{base64.b64encode(joined).decode()}-{len(parts)}"
