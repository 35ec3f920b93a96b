"""Ctrl-C and SIGTERM: how the command line answers them, and the moments in which they have to wait.

SIGALRM, which the daemon sends to a run whose time is over, is answered likewise.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

TIME_IS_OVER: Final = signal.SIGALRM
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, TIME_IS_OVER)
_came: list[int] = []


def answer() -> None:
    """From now on each raises KeyboardInterrupt in the main thread, and are remembered."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def answered() -> None:
    """From now on neither does anything, if one has come: the process ends, with the exit code of an interrupt.

    Python's own end gives the signals back their default, which is to die of them.
    """
    if _came:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def have_come() -> bool:
    """Whether one has come since `answer`.

    An extension module that calls Python code can make another error of the KeyboardInterrupt that is raised in there
    (pydantic's serializer does), so that the error alone does not tell.
    """
    return bool(_came)


def time_is_over() -> bool:
    """Whether the first that has come was not somebody's wish to stop, but the end of the run's time."""
    return _came[:1] == [TIME_IS_OVER]


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back these signals until the block is over, where they would otherwise end this thread's work.

    For what is short and must not be cut in half. Other threads than the main one are never interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[signal.Signals] = []
    handlers = {
        number: signal.signal(number, lambda number, _frame: came.append(signal.Signals(number))) for number in _SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            # None stands for a handler that was not set from Python, and cannot be set from there.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for sent in dict.fromkeys(came):
            signal.raise_signal(sent)
