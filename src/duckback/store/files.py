"""Local files: hashed streams, new files that vanish when they fail, and the operating system's errors as ours."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from duckback.errors import AccessDenied, IntegrityError, StoreError
from duckback.store.digest import READ_SIZE

PRIVATE = 0o600
"""The mode of new files: a backup is as secret as its database."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def os_errors(what: str) -> Iterator[None]:
    """Turn an OSError into the tree's; `what` says what was being done, and to which path."""
    try:
        yield
    except OSError as error:
        raise _of_the_tree(error, what) from error


def _of_the_tree(error: OSError, what: str) -> StoreError:
    message = f"{what}: {error.strerror or error}"
    if error.errno in _FULL:
        return StoreError(message, hint="Make room on that disk, or raise the quota; nothing half-written was left.")
    if error.errno in _DENIED:
        return AccessDenied(message, hint="Give the user that runs duckback the right to it.")
    return StoreError(message)


def read_blocks(file: BinaryIO, what: str) -> Iterator[bytes]:
    """The rest of a file, in blocks of READ_SIZE bytes; `what` as in `os_errors`."""
    while True:
        with os_errors(what):
            block = file.read(READ_SIZE)
        if not block:
            return
        yield block


def pour(
    blocks: Iterable[bytes], write: Callable[[bytes], object] | None, on_bytes: Callable[[int], None] | None
) -> tuple[int, str]:
    """Hash blocks, and write them on the way where there is a `write`; returns bytes and hex SHA-256."""
    size, sha256 = 0, hashlib.sha256()
    for block in blocks:
        sha256.update(block)
        if write:
            write(block)
        size += len(block)
        if on_bytes:
            on_bytes(len(block))
    return size, sha256.hexdigest()


def open_new(path: Path) -> BinaryIO:
    """A file that nobody else has, open for writing; FileExistsError where something is there."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE), "wb")


def write_new(path: Path, blocks: Iterable[bytes], on_bytes: Callable[[int], None] | None) -> tuple[int, str]:
    """Write blocks into a new file, which is removed again if that fails; returns bytes and hex SHA-256.

    Raises:
        StoreError: something is at that path already, or it cannot be written.
    """
    with os_errors(f"cannot write {path}"):
        file = open_new(path)
        try:
            with file:
                return pour(blocks, file.write, on_bytes)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def make_directories(directory: Path) -> None:
    """Make a directory and what is missing above it, durably: a new name lasts once its parent is synced."""
    if directory.is_dir():
        return
    make_directories(directory.parent)
    directory.mkdir(exist_ok=True)
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a directory and say EINVAL; they have nothing better to offer.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def whole(data: bytes, count: int, address: str) -> bytes:
    """The bytes, if they are as many as were asked for.

    Raises:
        IntegrityError: they are fewer, because the object at that address ends there; or more.
    """
    if len(data) != count:
        raise IntegrityError(f"{address} gave {len(data)} bytes where {count} were asked for")
    return data
