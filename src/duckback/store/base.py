"""What a store is: bytes under keys, and the promises that the repository's safety rests on."""

import builtins
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from duckback.store.digest import FileDigest

BytesDone = Callable[[int], None]


@dataclass(frozen=True)
class StoredObject:
    """What the store answers when asked about one object.

    Attributes:
        size: bytes.
        sha256: hex digest of the whole object, where the store (or a read of it) knows it.
        composite: the store's own checksum of a multipart object, `<base64>-<parts>` (S3), else None.
        encryption: the server-side encryption as the store names it ("AES256", "aws:kms"), else None.
        kms_key_id: the key that "aws:kms" used, else None.
        locked_until: before that, the store lets nobody delete it; None: not locked.
    """

    key: str
    size: int
    sha256: str | None
    composite: str | None = None
    encryption: str | None = None
    kms_key_id: str | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    locked_until: datetime | None = None


@dataclass(frozen=True)
class ObjectLock:
    """What a store is to hold against deletion: every file that is put, for so long after."""

    mode: Literal["governance", "compliance"]
    length: timedelta


@dataclass(frozen=True)
class ListedObject:
    """One row of a listing; `modified` is the store's clock, in UTC."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class DeleteFailure:
    """A key that is still there after a delete, and the store's reason; `locked_until` where that is an object lock."""

    key: str
    reason: str
    locked_until: datetime | None = None


class Store(Protocol):
    """A byte driver. Keys are relative to the store's root, "/"-separated, never starting with "/".

    Obligations of every driver (tests/contract/test_store.py holds them to it):

    - A put that has returned is durable, and is seen whole by every later read and list of any process
      (read-after-write and list-after-write). No reader ever sees a part of an object.
    - `create` either makes the key or raises AlreadyExists and changes nothing, whoever else tries at the same
      time: exactly one of many concurrent creators wins.
    - Listing is complete: every page is read, or an error is raised. A partial listing is never returned.
    - Deleting a key that is not there is success. What is not reported as a failure is gone.
    - What it was told to encrypt is stored encrypted, or not at all.
    - Errors are of the tree in `duckback.errors`: NotFound, AlreadyExists, AccessDenied, StoreUnavailable
      (worth another try), else StoreError. Nothing is swallowed and no failed put leaves a visible object.
    """

    @property
    def url(self) -> str:
        """The root as the user wrote it, without credentials."""
        ...

    def uri(self, key: str) -> str:
        """The address of an object as other tools understand it (s3://…, file path)."""
        ...

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
        """Store a local file in bounded memory, whatever its size.

        Args:
            key: a key that no other put uses (backup ids make them so).
            path: the file; must not change meanwhile.
            digest: of the file, from `digest_file` with this store's `part_size`.
            metadata: names and values in ASCII; `head` answers them where the medium keeps them.
            content_type: a media type; likewise.
            on_bytes: called with the number of bytes sent since the last call, from any thread.

        Raises:
            IntegrityError: the file's bytes are not those of the digest; nothing is stored.
            StoreError: as of the tree; nothing is stored.
        """
        ...

    def create(self, key: str, data: bytes, *, lock: bool = False) -> None:
        """Store small bytes (at most a few MiB) under a key that does not exist yet.

        Args:
            key: of the object.
            data: its bytes.
            lock: hold it against deletion for as long as files that are put, where the store was told to hold those.

        Raises:
            AlreadyExists: the key is taken; what it holds is unchanged.
        """
        ...

    def get(self, key: str, *, limit: int) -> bytes:
        """The whole object, of at most `limit` bytes.

        Raises:
            NotFound: no such key.
            IntegrityError: it is larger than `limit`, or shorter than the store said.
        """
        ...

    def read(self, key: str, first: int, count: int) -> bytes:
        """Bytes of an object: `count` of them, from the one at `first`, counted from 0; no others are transferred.

        Args:
            key: of the object.
            first: 0 or more.
            count: 1 or more.

        Raises:
            NotFound: no such key.
            IntegrityError: the object ends before that.
        """
        ...

    def fetch(self, key: str, path: Path, *, on_bytes: BytesDone | None = None) -> str:
        """Copy an object into a new local file in bounded memory; returns the hex SHA-256 of what was written.

        Raises:
            NotFound: no such key.
            IntegrityError: it ended before the size that the store had announced.
        """
        ...

    def local_path(self, key: str) -> Path | None:
        """The file that holds the object, where the store is a local directory; else None."""
        ...

    def head(self, key: str, *, known: bool = False) -> StoredObject:
        """What the store holds under the key; a driver whose medium keeps no checksum reads the bytes and hashes.

        Args:
            key: of the object.
            known: what an earlier reading found will do, where nobody has written to the object since.

        Raises:
            NotFound: no such key.
        """
        ...

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Every object whose key starts with the prefix, in key order. An empty prefix lists the store."""
        ...

    def folders(self, prefix: str) -> builtins.list[str]:
        """What stands between the prefix and the next "/" in the keys below it: sorted, each once.

        The prefix is empty or ends with "/". The number of requests grows with the answer, not with the objects.
        """
        ...

    def delete(self, keys: builtins.list[str]) -> builtins.list[DeleteFailure]:
        """Delete keys; returns those that the store refused to delete, each with its reason."""
        ...

    def abort_uploads(self, prefix: str, *, before: datetime) -> builtins.list[str]:
        """Remove what unfinished puts under the prefix left behind if they began before that time; their keys."""
        ...

    @property
    def part_size(self) -> int:
        """Bytes a part of a multipart put (a digest is made for it)."""
        ...
