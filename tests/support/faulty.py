"""A store that fails when it is told to, before or after it did what it was asked."""

import builtins
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from duckback.errors import DuckbackError
from duckback.store.base import BytesDone, DeleteFailure, ListedObject, Store, StoredObject
from duckback.store.digest import FileDigest

_T = TypeVar("_T")


@dataclass(frozen=True)
class Fault:
    """Fail calls of a method, counted from 1.

    Attributes:
        method: of Store; "": any.
        error: what is raised.
        first: the first call that fails.
        last: the last one that does.
        after: whether the call is carried out before it fails: an answer lost on its way.
        key: only calls whose key or prefix contains this count.
    """

    method: str
    error: DuckbackError
    first: int = 1
    last: int = 1
    after: bool = False
    key: str = ""


class FaultyStore:
    """Another store, with faults; `calls` are the (method, key) pairs that were made."""

    def __init__(self, store: Store, *faults: Fault) -> None:
        self.inner = store
        self.faults = list(faults)
        self.calls: list[tuple[str, str]] = []
        self.before: dict[str, Callable[[str], None]] = {}
        self._counts: dict[int, int] = {}
        self._lock = threading.Lock()

    def _call(self, method: str, key: str, act: Callable[[], _T]) -> _T:
        with self._lock:
            self.calls.append((method, key))
            due = [fault for fault in self.faults if self._is_due(fault, method, key)]
        if method in self.before:
            self.before[method](key)
        for fault in due:
            if not fault.after:
                raise fault.error
        result = act()
        for fault in due:
            raise fault.error
        return result

    def _is_due(self, fault: Fault, method: str, key: str) -> bool:
        if fault.method not in {"", method} or fault.key not in key:
            return False
        self._counts[id(fault)] = self._counts.get(id(fault), 0) + 1
        return fault.first <= self._counts[id(fault)] <= fault.last

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def part_size(self) -> int:
        return self.inner.part_size

    def uri(self, key: str) -> str:
        return self.inner.uri(key)

    def local_path(self, key: str) -> Path | None:
        return self.inner.local_path(key)

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
        def act() -> None:
            self.inner.put_file(key, path, digest, metadata=metadata, content_type=content_type, on_bytes=on_bytes)

        self._call("put_file", key, act)

    def create(self, key: str, data: bytes, *, lock: bool = False) -> None:
        self._call("create", key, lambda: self.inner.create(key, data, lock=lock))

    def get(self, key: str, *, limit: int) -> bytes:
        return self._call("get", key, lambda: self.inner.get(key, limit=limit))

    def read(self, key: str, first: int, count: int) -> bytes:
        return self._call("read", key, lambda: self.inner.read(key, first, count))

    def fetch(self, key: str, path: Path, *, on_bytes: BytesDone | None = None) -> str:
        return self._call("fetch", key, lambda: self.inner.fetch(key, path, on_bytes=on_bytes))

    def head(self, key: str, *, known: bool = False) -> StoredObject:
        return self._call("head", key, lambda: self.inner.head(key, known=known))

    def list(self, prefix: str) -> Iterator[ListedObject]:
        return self._call("list", prefix, lambda: self.inner.list(prefix))

    def folders(self, prefix: str) -> "builtins.list[str]":
        return self._call("folders", prefix, lambda: self.inner.folders(prefix))

    def delete(self, keys: "builtins.list[str]") -> "builtins.list[DeleteFailure]":
        return self._call("delete", " ".join(keys), lambda: self.inner.delete(keys))

    def abort_uploads(self, prefix: str, *, before: datetime) -> "builtins.list[str]":
        return self._call("abort_uploads", prefix, lambda: self.inner.abort_uploads(prefix, before=before))
