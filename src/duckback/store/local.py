"""A store in a local directory: what is in it is whole, durable and written once."""

import builtins
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from duckback.errors import IntegrityError, NotFound, StoreError
from duckback.store.base import BytesDone, DeleteFailure, ListedObject, StoredObject
from duckback.store.digest import FileDigest
from duckback.store.files import (
    os_errors,
    pour,
    read_blocks,
    sync_directory,
    whole,
    write_new,
)
from duckback.store.keys import TEMPORARY, check_key, check_prefix
from duckback.store.local_seal import seal, sealed, state_of
from duckback.store.local_write import link_or_copy, publish, write_bytes

_ONE_PART = 1 << 50


class LocalStore:
    """Objects are files of mode 0600 (or hard links to the file that was put), keys are paths below the root.

    A directory has no place for metadata and content types: `head` answers none. `modified` in a listing is
    when the object came into the store, whatever the age of the file that was put.
    """

    def __init__(self, root: Path) -> None:
        self._url = str(root)
        self._root = root.absolute()

    @property
    def url(self) -> str:
        return self._url

    @property
    def part_size(self) -> int:
        return _ONE_PART

    def uri(self, key: str) -> str:
        return str(self._path(key))

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    def put_file(
        self,
        key: str,
        path: Path,
        digest: FileDigest,
        *,
        metadata: Mapping[str, str],  # noqa: ARG002 -- see the class
        content_type: str,  # noqa: ARG002 -- see the class
        on_bytes: BytesDone | None = None,
    ) -> None:
        """Hard-link the file into the store where that is possible, else copy it; either way every byte is read.

        Raises:
            AlreadyExists: the key is taken.
            IntegrityError: the file's bytes are not those of the digest; nothing is stored.
        """
        with os_errors(f"cannot read {path}"):
            source = path.resolve(strict=True)

        def fill(temporary: Path) -> None:
            found = link_or_copy(source, temporary, on_bytes)
            if found != (digest.size, digest.sha256):
                raise IntegrityError(f"{path} changed while it was stored: its SHA-256 is not {digest.sha256} any more")

        self._place(key, fill)

    def create(self, key: str, data: bytes, *, lock: bool = False) -> None:  # noqa: ARG002 -- a directory has no locks
        self._place(key, lambda temporary: write_bytes(data, temporary))

    def _place(self, key: str, fill: Callable[[Path], None]) -> None:
        """Let `fill` make the bytes durable under a temporary name, then show them: all or nothing."""
        target = self._path(key)
        temporary = target.parent / f"{TEMPORARY}{uuid4().hex}"
        with os_errors(f"cannot store {target}"):
            try:
                fill(temporary)
                publish(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)
            try:
                sync_directory(target.parent)
            except BaseException:
                target.unlink(missing_ok=True)
                raise

    def get(self, key: str, *, limit: int) -> bytes:
        with self._open(key) as file, os_errors(f"cannot read {self._path(key)}"):
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise IntegrityError(f"{self._path(key)} has {size} bytes, more than the {limit} expected")
            return file.read(size)

    def read(self, key: str, first: int, count: int) -> bytes:
        with self._open(key) as file, os_errors(f"cannot read {self._path(key)}"):
            file.seek(first)
            return whole(file.read(count), count, self.uri(key))

    def fetch(self, key: str, path: Path, *, on_bytes: BytesDone | None = None) -> str:
        with self._open(key) as file:
            size, sha256 = write_new(path, read_blocks(file, f"cannot read {self._path(key)}"), on_bytes)
            if size != os.fstat(file.fileno()).st_size:
                path.unlink()
                raise IntegrityError(f"{self._path(key)} changed while it was read")
            return sha256

    def head(self, key: str, *, known: bool = False) -> StoredObject:
        """Size and SHA-256 of the file, from reading all of it; or from the last reading, if that will do.

        Raises:
            NotFound: no such key.
        """
        with self._open(key) as file:
            state = state_of(file)
            if known and (noted := sealed(file)) is not None:
                return StoredObject(key=key, size=os.fstat(file.fileno()).st_size, sha256=noted)
            size, sha256 = pour(read_blocks(file, f"cannot read {self._path(key)}"), None, None)
            seal(file, sha256, state)
        return StoredObject(key=key, size=size, sha256=sha256)

    def _open(self, key: str) -> BinaryIO:
        path = self._path(key)
        try:
            with os_errors(f"cannot open {path}"):
                return path.open("rb")
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError | IsADirectoryError):
                raise NotFound(f"{path} does not exist") from error
            raise

    def list(self, prefix: str) -> Iterator[ListedObject]:
        check_prefix(prefix)
        for key, info in self._walk("", prefix):
            if not _is_temporary(key):
                yield ListedObject(key, info.st_size, datetime.fromtimestamp(info.st_ctime, UTC))

    def _walk(self, directory: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
        """Every file below `directory` ("" or "…/") whose key starts with the prefix, in key order."""
        for key in _keys_in(self._root / directory, directory):
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                try:
                    info = (self._root / key).stat()
                except FileNotFoundError:
                    continue  # deleted since the directory was read
                except OSError as error:
                    raise StoreError(f"cannot list {self._root / key}: {error.strerror}") from error
                yield key, info

    def folders(self, prefix: str) -> builtins.list[str]:
        check_prefix(prefix)
        keys = (key for key in _keys_in(self._root / prefix, prefix) if key.endswith("/") and any(self.list(key)))
        return sorted(key.removeprefix(prefix).rstrip("/") for key in keys)

    def delete(self, keys: builtins.list[str]) -> builtins.list[DeleteFailure]:
        """Delete files, then the directories that this leaves empty.

        Raises:
            IntegrityError: one of the keys would leave the root; nothing is deleted.
        """
        directories: dict[Path, builtins.list[str]] = {}
        for key in keys:
            directories.setdefault(self._path(key).parent, []).append(key)
        return [failure for each in directories.items() for failure in self._delete_in(*each)]

    def _delete_in(self, directory: Path, keys: builtins.list[str]) -> builtins.list[DeleteFailure]:
        failures = {key: reason for key in keys if (reason := _unlink(self._path(key)))}
        try:
            sync_directory(directory)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            failures = dict.fromkeys(keys, f"not durably deleted: {error.strerror}") | failures
        self._remove_empty(directory)
        return [DeleteFailure(key, reason) for key, reason in failures.items()]

    def _remove_empty(self, directory: Path) -> None:
        while directory != self._root:
            try:
                directory.rmdir()
            except OSError:
                return  # not empty, or in somebody's use: a directory is no object
            directory = directory.parent

    def abort_uploads(self, prefix: str, *, before: datetime) -> builtins.list[str]:
        """Remove temporary files whose path below the root starts with the prefix; returns those paths."""
        check_prefix(prefix)
        old = [key for key, info in self._walk("", prefix) if _is_temporary(key) and info.st_ctime < before.timestamp()]
        for key in old:
            with os_errors(f"cannot remove {self._root / key}"):
                (self._root / key).unlink(missing_ok=True)
        return old

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._root / key


def _is_temporary(key: str) -> bool:
    return key.rpartition("/")[2].startswith(TEMPORARY)


def _keys_in(directory: Path, prefix: str) -> builtins.list[str]:
    """The names in a directory in key order; those of directories end in "/", which is how "a-" sorts before "a/"."""
    try:
        with os_errors(f"cannot list {directory}"), os.scandir(directory) as entries:
            return sorted((f"{prefix}{each.name}{'/' * each.is_dir()}" for each in entries), key=os.fsencode)
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return []  # deleted since its parent was read, or nothing was ever stored
        raise


def _unlink(path: Path) -> str:
    """Remove a file; returns the reason if it is still there."""
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return ""
    except OSError as error:
        return "" if path.is_dir() else error.strerror or str(error)
    return ""
