"""How a file comes into a local store: durable under a temporary name first, then visible in one step."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from duckback.errors import AlreadyExists, StoreError
from duckback.store.base import BytesDone
from duckback.store.files import make_directories, open_new, pour, read_blocks

_T = TypeVar("_T")
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_ATTEMPTS = 100


def link_or_copy(source: Path, temporary: Path, on_bytes: BytesDone | None) -> tuple[int, str]:
    """Make the file's bytes durable under the temporary name; returns their number and hex SHA-256, as read."""
    return _link_and_read(source, temporary, on_bytes) or _copy(source, temporary, on_bytes)


def write_bytes(data: bytes, temporary: Path) -> None:
    """Make these bytes durable under the temporary name."""
    with _in_directory(temporary.parent, lambda: open_new(temporary)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _in_directory(directory: Path, act: Callable[[], _T]) -> _T:
    """Make the directory and act in it: while it is empty, another process's delete may take it away again."""
    for _ in range(_ATTEMPTS - 1):
        # It went between two looks at it; what is there for good, and no directory, ends the attempts.
        with suppress(FileNotFoundError, FileExistsError):
            make_directories(directory)
            return act()
    make_directories(directory)
    return act()


def _link_and_read(source: Path, temporary: Path, on_bytes: BytesDone | None) -> tuple[int, str] | None:
    """Bytes and SHA-256 of the durable link, or None where the file system cannot link."""
    try:
        _in_directory(temporary.parent, lambda: temporary.hardlink_to(source))
    except OSError as error:
        if error.errno in _NO_LINK:
            return None
        raise
    with temporary.open("rb") as file:
        found = pour(read_blocks(file, f"cannot read {source}"), None, on_bytes)
        os.fsync(file.fileno())
    return found


def _copy(source: Path, temporary: Path, on_bytes: BytesDone | None) -> tuple[int, str]:
    with source.open("rb") as file, _in_directory(temporary.parent, lambda: open_new(temporary)) as copy:
        found = pour(read_blocks(file, f"cannot read {source}"), copy.write, on_bytes)
        copy.flush()
        os.fsync(copy.fileno())
    return found


def publish(temporary: Path, target: Path) -> None:
    """Show the file under its name; of many that try, one wins.

    Raises:
        AlreadyExists: the name is taken.
    """
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise AlreadyExists(f"{target} exists already") from None
    except OSError as error:
        if error.errno in _NO_LINK:
            raise StoreError(
                f"cannot store {target}: the file system has no hard links, without which two writers could collide",
                hint="Keep the repository on a file system with hard links (ext4, xfs, btrfs, zfs, NFS) or in S3.",
            ) from error
        raise
