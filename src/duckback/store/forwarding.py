"""A store before another one, for those that change some of its calls and hand on the rest."""

import builtins
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from duckback.store.base import BytesDone, DeleteFailure, ListedObject, Store, StoredObject
from duckback.store.digest import FileDigest

_T = TypeVar("_T")


class ForwardingStore:
    """Hands every call on; what may fail or wait goes through `_call`.

    Args:
        inner: the other store.
    """

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def _call(self, method: str, key: str, act: Callable[[], _T]) -> _T:  # noqa: ARG002 -- for those that override it
        """Carry a call out; the key is what it is about: a key, a prefix, or several keys with spaces between."""
        return act()

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

    def folders(self, prefix: str) -> builtins.list[str]:
        return self._call("folders", prefix, lambda: self.inner.folders(prefix))

    def delete(self, keys: builtins.list[str]) -> builtins.list[DeleteFailure]:
        return self._call("delete", " ".join(keys), lambda: self.inner.delete(keys))

    def abort_uploads(self, prefix: str, *, before: datetime) -> builtins.list[str]:
        return self._call("abort_uploads", prefix, lambda: self.inner.abort_uploads(prefix, before=before))
