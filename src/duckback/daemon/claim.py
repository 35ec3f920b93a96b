"""A claim on a name, which ends with the process that holds it, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duckback.errors import DuckbackError, Locked


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold the lock (flock) of a file, which is made where there is none, and stays.

    Raises:
        Locked: another process holds it.
        DuckbackError: the file cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise DuckbackError(
            f"cannot make {path}: {error.strerror}", hint="Check what this user may do in the state directory."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(
                f"another process holds {path}", hint="Is a second daemon at work, or the last run of a killed one?"
            ) from error
        yield
