"""The end of the time that a run was given."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from duckback.model.progress import Progress, Report
from duckback.store.base import BytesDone


class TimeIsUp(Exception):
    """The time that the run was given is over; no failure, for what was not reached is told."""


class Deadline:
    """Counts from its making, on this process's monotonic clock; None: there is no end."""

    def __init__(self, after: timedelta | None) -> None:
        self._ends = None if after is None else time.monotonic() + after.total_seconds()

    @property
    def remaining(self) -> float | None:
        """Seconds until then, at least a moment; None: there is no end."""
        return None if self._ends is None else max(self._ends - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raise TimeIsUp if it is."""
        if self._ends is not None and time.monotonic() >= self._ends:
            raise TimeIsUp

    @contextmanager
    def ending(self, error: type[Exception]) -> Iterator[None]:
        """Take such an error for the end of the time, if that has come."""
        try:
            yield
        except error:
            self.check()
            raise

    def report(self, report: Report) -> Report:
        """The same report, which raises TimeIsUp once it is; what reports from a child process ends it so."""

        def heard(progress: Progress) -> None:
            self.check()
            report(progress)

        return heard

    def on_bytes(self, on_bytes: BytesDone) -> BytesDone:
        """Likewise."""

        def heard(count: int) -> None:
            self.check()
            on_bytes(count)

        return heard
