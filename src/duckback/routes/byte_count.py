"""Progress of a step whose bytes several threads move."""

from threading import Lock

from duckback.model.progress import Progress, Report


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
