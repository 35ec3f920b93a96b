"""The end of the time that a run was given."""

import time
from datetime import timedelta

from duckback.model.progress import Progress, Report
from duckback.store.base import BytesDone


class TimeIsUp(Exception):
    """The time that the run was given is over; no failure, for what was not reached is told."""


class Deadline:
    """Counts from its making, on this process's monotonic clock; None: there is no end."""

    def __init__(self, after: timedelta | None) -> None:
        self._ends = None if after is None else time.monotonic() + after.total_seconds()

    def check(self) -> None:
        """Raise TimeIsUp if it is."""
        if self._ends is not None and time.monotonic() >= self._ends:
            raise TimeIsUp

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
