"""Objects of a store as files that DuckDB reads by ranges: only the bytes that a query needs come over the network."""

import io
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock, get_ident
from typing import Any

from fsspec import AbstractFileSystem

from duckback.errors import DuckbackError
from duckback.store.base import Store

_SCHEME = "duckback"
_KEPT_EACH, _KEPT_IN_ALL = 1 << 18, 1 << 26
_NEVER_CHANGED = datetime(2026, 1, 1, tzinfo=UTC)


def address_of(key: str) -> str:
    """What DuckDB calls an object."""
    return f"{_SCHEME}://{key}"


class RemoteFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system with a backup's objects, and nothing else, for `register_filesystem`.

    DuckDB asks for the end of a Parquet file and then for the column chunks that the query needs, several threads at a
    time; each such part is one request. Small parts are kept, for it asks for the end of a file several times.

    Attributes:
        failure: the first error of the store; DuckDB hands on its text alone.

    Args:
        store: holds the objects.
        sizes: each object's key → its bytes.
    """

    protocol = _SCHEME
    cachable = False

    def __init__(self, store: Store, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self._store = store
        self._sizes = sizes
        self._kept: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._kept_bytes = 0
        self._lock = Lock()
        self.failure: DuckbackError | None = None

    def open(self, path: str, mode: str = "rb", **_options: Any) -> "_RemoteFile":
        """An object to be read; nothing is transferred yet."""
        if mode != "rb":
            raise PermissionError(f"{path} can only be read")
        key = self._key(path)
        return _RemoteFile(self, key, self._size(key))

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """Name, size and type."""
        return {"name": path, "size": self._size(self._key(path)), "type": "file"}

    def glob(self, path: str, **_options: Any) -> list[str]:
        """The one object that is called so: keys hold no wildcards."""
        return [path] if self.exists(path) else []

    def exists(self, path: str, **_options: Any) -> bool:
        """Whether it is one of the objects."""
        return self._key(path) in self._sizes

    def isfile(self, path: str) -> bool:
        """Likewise."""
        return self.exists(path)

    def isdir(self, path: str) -> bool:  # noqa: ARG002 -- keys have no directories
        """Never."""
        return False

    def modified(self, path: str) -> datetime:  # noqa: ARG002 -- what is written once never changes
        """The same for all: an object is written once."""
        return _NEVER_CHANGED

    def part(self, key: str, first: int, count: int) -> bytes:
        """Bytes of an object, from the store or from what was kept.

        Raises:
            OSError: the store does not give them; `failure` says why.
        """
        wanted = (key, first, count)
        with self._lock:
            if (kept := self._kept.get(wanted)) is not None:
                self._kept.move_to_end(wanted)
                return kept
        try:
            data = self._store.read(key, first, count)
        except DuckbackError as error:
            self.failure = self.failure or error
            raise OSError(error.message) from error
        if count <= _KEPT_EACH:
            self._keep(wanted, data)
        return data

    def _keep(self, wanted: tuple[str, int, int], data: bytes) -> None:
        with self._lock:
            if wanted not in self._kept:
                self._kept[wanted] = data
                self._kept_bytes += len(data)
            while self._kept_bytes > _KEPT_IN_ALL:
                _, oldest = self._kept.popitem(last=False)
                self._kept_bytes -= len(oldest)

    def _size(self, key: str) -> int:
        if key not in self._sizes:
            raise FileNotFoundError(f"{key} is no object of this backup")
        return self._sizes[key]

    def _key(self, path: str) -> str:
        return path.removeprefix(address_of(""))


class _RemoteFile(io.RawIOBase):
    """One object, read where DuckDB points.

    DuckDB says where and how much in two calls, and its threads may share a file: each has its own place in it.
    """

    def __init__(self, files: RemoteFiles, key: str, size: int) -> None:
        super().__init__()
        self._files = files
        self._key = key
        self._size = size
        # By number, for `threading.local` forgets what a thread that is not Python's own did in its last call.
        self._at: dict[int, int] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at.get(get_ident(), 0)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        self._at[get_ident()] = start + offset
        return start + offset

    def read(self, count: int = -1) -> bytes:
        at = self.tell()
        left = max(self._size - at, 0)
        count = left if count < 0 else min(count, left)
        data = self._files.part(self._key, at, count) if count else b""
        self._at[get_ident()] = at + count
        return data
