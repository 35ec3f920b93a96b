"""Calls that may never return, under a time limit."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Final, TypeVar

from duckback.ledger.base import Allowance

T = TypeVar("T")

_GRACE_SECONDS: Final = 1.0


class OutOfTime(Exception):
    """The call was given up."""


def each(seconds: float) -> Allowance:
    """The same number of seconds for every call."""
    return lambda: seconds


def altogether(seconds: float) -> Allowance:
    """That number of seconds from now on for all calls together."""
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


def limited(call: Callable[[], T], seconds: float, give_up: Callable[[], None]) -> T:
    """What the call returns or raises.

    It runs in a daemon thread, so that neither the caller nor the end of the process waits for it, and an interrupt
    of the main thread does not reach into it.

    Args:
        call: may block for ever.
        seconds: that it is waited for.
        give_up: called when the wait ends without a result, in time or by an interrupt; must make the call end soon.

    Raises:
        OutOfTime: it did not end in time.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 -- handed to whoever waits
            outcome.set_exception(error)

    thread = Thread(target=run, name="duckback-limited-call", daemon=True)
    thread.start()
    try:
        return outcome.result(timeout=max(seconds, 0.0))
    except BaseException as error:
        if outcome.done():
            raise
        give_up()
        thread.join(_GRACE_SECONDS)
        if isinstance(error, TimeoutError):
            raise OutOfTime from None
        raise
