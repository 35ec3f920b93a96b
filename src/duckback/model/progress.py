"""How long-running steps tell how far they are, to whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True)
class Progress:
    """One report of a step: rows and bytes done, and in all where that is known (0: not known)."""

    step: str
    rows_done: int = 0
    rows_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0


Report = Callable[[Progress], None]
"""Takes the reports of a run; called from any thread, often, and must return at once."""


def unheard(_: Progress) -> None:
    """The report of a run that nobody watches."""


class ByteCount:
    """Adds up the bytes of a step, which several threads move, and reports them.

    Args:
        report: hears the sums, in their order.
        step: its name.
        total: bytes in all.
    """

    def __init__(self, report: Report, step: str, total: int) -> None:
        self._report = report
        self._step = step
        self._total = total
        self._done = 0
        self._lock = Lock()

    def add(self, count: int) -> None:
        """So many more; fewer, where the number is negative."""
        with self._lock:
            self._done += count
            self._report(Progress(self._step, bytes_done=self._done, bytes_total=self._total))
