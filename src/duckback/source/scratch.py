"""Private directories that do not outlive their owner, however it ends."""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from duckback.errors import SourceError

_MODE = 0o700


class Scratch:
    """A directory of mode 0700, locked (flock) by the process that made it; what a killed one left can be swept.

    Args:
        parent: where; made if missing.
        name: unique in it.

    Raises:
        SourceError: it cannot be made there.
    """

    def __init__(self, parent: Path, name: str) -> None:
        self.path = parent / name
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with _locked(parent):
                self.path.mkdir(mode=_MODE)
                self._lock: int | None = os.open(self.path, os.O_RDONLY)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError as error:
            raise SourceError(
                f"cannot make the directory {self.path}: {error.strerror}",
                hint="Check what this user may do there; --staging-dir and --image-dir say where else.",
            ) from error

    def remove(self) -> None:
        """Remove it with all that is in it; a second call does nothing."""
        if self._lock is None:
            return
        shutil.rmtree(self.path)
        os.close(self._lock)
        self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def sweep(parent: Path, prefix: str) -> list[Path]:
    """Remove the scratch directories of that prefix whose owner is gone; returns what was removed.

    Only what a `Scratch` of this user can be: a directory of mode 0700, and no link to one.

    Raises:
        SourceError: the parent cannot be read, or what is in it not removed.
    """
    try:
        if not parent.is_dir():
            return []
        with _locked(parent):
            found = sorted(path for path in parent.iterdir() if path.name.startswith(prefix) and _is_ours(path))
            abandoned = [path for path in found if _is_abandoned(path)]
            for path in abandoned:
                shutil.rmtree(path)
    except OSError as error:
        raise SourceError(
            f"cannot clean up in {parent}: {error}",
            hint="Check what this user may do there; --staging-dir and --image-dir say where else.",
        ) from error
    return abandoned


def _is_ours(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == _MODE and status.st_uid == os.geteuid()


@contextmanager
def _locked(parent: Path) -> Iterator[None]:
    # Without it a sweep could take a directory whose maker has not locked it yet for an abandoned one.
    lock = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_abandoned(path: Path) -> bool:
    lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
