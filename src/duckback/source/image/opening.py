"""Opening a database file that its writer may move away at any moment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duckback.source.image.disturbed import Disturbed


@contextmanager
def opened(database: Path) -> Iterator[int]:
    """The database's file descriptor, for reading.

    Raises:
        Disturbed: there is no such file at the moment.
    """
    try:
        fd = os.open(database, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Disturbed("it is not there") from None
    try:
        yield fd
    finally:
        os.close(fd)
