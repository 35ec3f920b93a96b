"""The three headers of a DuckDB file (its `storage/single_file_block_manager.cpp` writes them).

The main header is written once; the two database headers take turns, one a checkpoint, and the one with the higher
iteration counts.
"""

import os
import struct
from dataclasses import dataclass

from duckback.errors import SourceError, Unsupported
from duckback.source.image.disturbed import Disturbed

HEADERS_BYTES = 3 * 4096
"""Where the first block begins."""

_PAGE = 4096
_READS = 10
_MAGIC = b"DUCK"
_ENCRYPTED = 1
_IDENTIFIER = slice(124, 140)
_MULTIPLIER = 0xBF58476D1CE4E5B9
_SEED = 5381
_WORD = (1 << 64) - 1


@dataclass(frozen=True)
class Header:
    """What the headers say.

    How many blocks the file has is not asked: after a checkpoint that freed the last ones, it is shorter than its
    header says.

    Attributes:
        raw: the bytes.
        identifier: tells this database's WAL from another's, where the storage version has one.
        iteration: counts checkpoints.
    """

    raw: bytes
    identifier: bytes
    iteration: int


def read_header(fd: int, name: str) -> Header:
    """Read the headers until two readings agree.

    Raises:
        SourceError: it is no DuckDB file.
        Unsupported: it is encrypted.
        Disturbed: the writer is at it, or their checksums are wrong.
    """
    data = os.pread(fd, HEADERS_BYTES, 0)
    for _ in range(_READS):
        before, data = data, os.pread(fd, HEADERS_BYTES, 0)
        if data == before:
            if len(data) == HEADERS_BYTES and not any(data):
                raise Disturbed("it is being created")
            return parse_header(data, name)
    raise Disturbed("its header changed at every look")


def parse_header(data: bytes, name: str) -> Header:
    """Make sense of the first 12 KiB of a file.

    Raises:
        SourceError: it is no DuckDB file.
        Unsupported: it is encrypted.
        Disturbed: a checksum is wrong.
    """
    if len(data) < HEADERS_BYTES or data[8:12] != _MAGIC:
        raise SourceError(f"{name} is not a DuckDB database", hint="Give the path of the database file itself.")
    (flags,) = struct.unpack_from("<Q", data, 20)
    if flags & _ENCRYPTED:
        raise Unsupported(
            f"{name} is encrypted and cannot be opened without its key",
            hint="Duckback does not back up encrypted databases yet; a backup would hold their rows in the clear.",
        )
    for start in range(0, HEADERS_BYTES, _PAGE):
        (stored,) = struct.unpack_from("<Q", data, start)
        if stored != _checksum(data[start + 8 : start + _PAGE]):
            raise Disturbed("the checksum of a header is wrong")
    # A header is a checksum, the iteration, and what the checkpoint wrote.
    iteration = max(struct.unpack_from("<Q", data, start + 8)[0] for start in (_PAGE, 2 * _PAGE))
    return Header(data, data[_IDENTIFIER], iteration)


def _checksum(page: bytes) -> int:
    total = _SEED
    for (word,) in struct.iter_unpack("<Q", page):
        total ^= word * _MULTIPLIER & _WORD
    return total
