"""Standing back: a child process that pauses while other processes keep the processors busy.

A lower priority alone does not spare an application: what shares its caches, its memory and its disk slows it down
even where it gets every processor that it asks for. What helps is to run less of the time; PostgreSQL's vacuum does
the same (autovacuum_vacuum_cost_delay).
"""

import signal
import subprocess
import threading

import psutil

_RUN_SECONDS = 0.1
_FREE_SECONDS = 0.5
"""What is done so soon is not worth a pause, and in less time nothing can be told of the others."""

_BUSY = 0.5


def share_of_time(others: float, least: float) -> float:
    """For how much of the time to run, from `least` to 1: less the more the others do.

    Args:
        others: the share of this machine's processors that other processes use, 0 to 1.
        least: the share of the time beside others that use half of them or more.
    """
    return max(least, 1 - (1 - least) * max(others, 0) / _BUSY)


class Pauses:
    """Pauses a child process again and again, from a thread, once that is started.

    Were this process killed while the child is stopped, the system would send the child SIGHUP and SIGCONT: it is
    alone in its process group, which its parent's death leaves an orphan (setpgid(2), exit(3p)).

    Args:
        child: the leader of a process group of its own.
        least: see `share_of_time`.
    """

    def __init__(self, child: "subprocess.Popen[bytes]", least: float) -> None:
        self._child = child
        self._least = least
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if there is anything to pause for, and it has not begun."""
        if self._least < 1 and self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, and leave the child running."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            child = psutil.Process(self._child.pid)
            _used_by_others(child)
            running = _FREE_SECONDS
            while not self._ended.wait(running):
                running = _RUN_SECONDS
                self._pause(running / share_of_time(_used_by_others(child), self._least) - running)
        except psutil.NoSuchProcess:
            return

    def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            return
        self._child.send_signal(signal.SIGSTOP)
        try:
            self._ended.wait(seconds)
        finally:
            self._child.send_signal(signal.SIGCONT)


def _used_by_others(child: psutil.Process) -> float:
    # Both since this thread's last call.
    return (psutil.cpu_percent() - child.cpu_percent() / (psutil.cpu_count() or 1)) / 100
