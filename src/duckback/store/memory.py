"""A store in memory: the contract at its plainest, and what the tests of the layers above run on."""

import builtins
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from duckback.errors import AlreadyExists, IntegrityError, NotFound
from duckback.store.base import BytesDone, DeleteFailure, ListedObject, StoredObject
from duckback.store.digest import READ_SIZE, FileDigest
from duckback.store.files import os_errors, read_blocks, whole, write_new
from duckback.store.keys import check_key, check_prefix


@dataclass(frozen=True)
class _Object:
    data: bytes
    metadata: Mapping[str, str]
    content_type: str | None
    modified: datetime


class MemoryStore:
    """Objects live as long as this object does; every method may be called from any thread."""

    def __init__(self, name: str = "memory") -> None:
        self._name = name
        self._objects: dict[str, _Object] = {}
        self._lock = Lock()

    @property
    def url(self) -> str:
        return f"memory://{self._name}"

    @property
    def part_size(self) -> int:
        return 16 << 20

    def uri(self, key: str) -> str:
        check_key(key)
        return f"{self.url}/{key}"

    def local_path(self, key: str) -> Path | None:
        check_key(key)
        return None

    def put_file(
        self,
        key: str,
        path: Path,
        digest: FileDigest,
        *,
        metadata: Mapping[str, str],
        content_type: str,
        on_bytes: BytesDone | None = None,
    ) -> None:
        """Raises AlreadyExists for a taken key."""
        data = bytearray()
        with os_errors(f"cannot read {path}"), path.open("rb") as file:
            for block in read_blocks(file, f"cannot read {path}"):
                data += block
                if on_bytes:
                    on_bytes(len(block))
        if hashlib.sha256(data).hexdigest() != digest.sha256:
            raise IntegrityError(f"{path} changed while it was stored: its SHA-256 is not {digest.sha256} any more")
        self._add(key, _Object(bytes(data), dict(metadata), content_type, datetime.now(UTC)))

    def create(self, key: str, data: bytes, *, lock: bool = False) -> None:  # noqa: ARG002 -- the Protocol has it
        self._add(key, _Object(data, {}, "application/json", datetime.now(UTC)))

    def _add(self, key: str, new: _Object) -> None:
        check_key(key)
        with self._lock:
            if self._objects.setdefault(key, new) is not new:
                raise AlreadyExists(f"{self.uri(key)} exists already")

    def _find(self, key: str) -> _Object:
        check_key(key)
        with self._lock:
            found = self._objects.get(key)
        if found is None:
            raise NotFound(f"{self.uri(key)} does not exist")
        return found

    def get(self, key: str, *, limit: int) -> bytes:
        data = self._find(key).data
        if len(data) > limit:
            raise IntegrityError(f"{self.uri(key)} has {len(data)} bytes, more than the {limit} expected")
        return data

    def read(self, key: str, first: int, count: int) -> bytes:
        return whole(self._find(key).data[first : first + count], count, self.uri(key))

    def fetch(self, key: str, path: Path, *, on_bytes: BytesDone | None = None) -> str:
        data = self._find(key).data
        blocks = (data[start : start + READ_SIZE] for start in range(0, len(data), READ_SIZE))
        return write_new(path, blocks, on_bytes)[1]

    def head(self, key: str, *, known: bool = False) -> StoredObject:  # noqa: ARG002 -- memory is quick to hash
        found = self._find(key)
        return StoredObject(
            key=key,
            size=len(found.data),
            sha256=hashlib.sha256(found.data).hexdigest(),
            content_type=found.content_type,
            metadata=found.metadata,
        )

    def list(self, prefix: str) -> Iterator[ListedObject]:
        check_prefix(prefix)
        with self._lock:
            found = [(key, each) for key, each in self._objects.items() if key.startswith(prefix)]
        return iter([ListedObject(key, len(each.data), each.modified) for key, each in sorted(found, key=_by_key)])

    def folders(self, prefix: str) -> builtins.list[str]:
        below = (listed.key.removeprefix(prefix) for listed in self.list(prefix))
        return sorted({key.partition("/")[0] for key in below if "/" in key})

    def delete(self, keys: builtins.list[str]) -> builtins.list[DeleteFailure]:
        for key in keys:
            check_key(key)
        with self._lock:
            for key in keys:
                self._objects.pop(key, None)
        return []

    def abort_uploads(self, prefix: str, *, before: datetime) -> builtins.list[str]:  # noqa: ARG002 -- the Protocol has it
        """Nothing to do: a put that fails leaves nothing."""
        check_prefix(prefix)
        return []


def _by_key(row: tuple[str, _Object]) -> str:
    return row[0]
