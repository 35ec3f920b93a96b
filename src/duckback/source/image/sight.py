"""What can be seen of a database without reading it, and whether that stays the same."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from duckback.source.image.locks import writer_of
from duckback.source.image.names import Logs, find_logs

_STILL_SECONDS = 2.0

Marks = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Sight:
    """The file, its writer and its logs; two that are equal mean that nothing has moved, as far as times tell.

    Attributes:
        writer: the process that has it open for writing, if one has.
        marks: device, inode, size and times of the file and of each log that is there.
    """

    writer: int | None
    logs: Logs
    marks: tuple[Marks | None, ...]

    @classmethod
    def of(cls, database: Path, source: int) -> "Sight":
        """Look at a database whose file is open for reading.

        Raises:
            SourceError: its log cannot be told.
        """
        status, writer = os.fstat(source), writer_of(source)
        logs = find_logs(database, status, writer)
        return cls(writer, logs, (_marks(status), *(_marks_of(log) for log in (logs.wal, logs.checkpoint_wal))))


class Stillness:
    """For how long the same has been seen."""

    def __init__(self) -> None:
        self._seen: Sight | None = None
        self._since = time.monotonic()

    def note(self, sight: Sight | None) -> None:
        """Take note of what is seen now, None for nothing."""
        if sight != self._seen:
            self._seen, self._since = sight, time.monotonic()

    @property
    def is_lasting(self) -> bool:
        """Whether it has been long enough not to be a coincidence."""
        return time.monotonic() - self._since >= _STILL_SECONDS


def _marks_of(path: Path) -> Marks | None:
    try:
        return _marks(path.stat())
    except FileNotFoundError:
        return None


def _marks(status: os.stat_result) -> Marks:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
