"""The memory of a process and all its descendants, sampled from outside."""

import threading

import psutil

_SAMPLE_SECONDS = 0.02


class Sampler:
    """Samples the memory of a process and all its descendants from a thread."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._peak = 0
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """End the sampling; returns the highest sum in bytes."""
        self._finished.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._finished.wait(_SAMPLE_SECONDS):
            try:
                processes = [self._root, *self._root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            # RSS is quick to ask and never less than PSS, whose asking holds the process up.
            if sum(map(_resident, processes)) > self._peak:
                self._peak = max(self._peak, sum(map(_memory_of, processes)))


def memory_unit() -> str:
    """What the sampled sums are of."""
    return "PSS" if hasattr(psutil.Process().memory_full_info(), "pss") else "RSS"


def _memory_of(process: psutil.Process) -> int:
    # PSS counts a page that several processes share once; where the system does not tell it, RSS is the most it can be.
    try:
        info = process.memory_full_info()
        return int(getattr(info, "pss", info.rss))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
