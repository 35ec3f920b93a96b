"""Calls that may never return."""

import os
import signal
import threading
import time

import pytest

from duckback.ledger.limited import OutOfTime, altogether, each, limited


def never_called() -> None:
    raise AssertionError


def test_a_call_that_returns_in_time_returns_its_value() -> None:
    assert limited(lambda: 7, 10, never_called) == 7


def test_a_call_that_raises_raises_its_error_even_if_that_is_a_timeout() -> None:
    def fails() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        limited(fails, 10, never_called)


def test_a_call_that_never_returns_is_given_up_in_time_and_its_thread_ends() -> None:
    ended = threading.Event()
    before = threading.active_count()
    started = time.monotonic()
    with pytest.raises(OutOfTime):
        limited(ended.wait, 0.1, ended.set)
    assert 0.1 <= time.monotonic() - started < 5
    assert threading.active_count() == before


def test_an_interrupt_gives_the_call_up_and_stays_an_interrupt() -> None:
    ended = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may ignore it
    try:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            limited(ended.wait, 30, ended.set)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.is_set()


def test_no_time_left_is_no_time_and_not_for_ever() -> None:
    ended = threading.Event()
    with pytest.raises(OutOfTime):
        limited(ended.wait, -1, ended.set)


def test_an_allowance_is_for_each_call_or_for_all_together() -> None:
    every, together = each(5), altogether(5)
    first = together()
    time.sleep(0.01)
    assert every() == every() == 5
    assert together() < first <= 5
