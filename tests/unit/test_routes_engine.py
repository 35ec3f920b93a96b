"""The engine: order, what runs afterwards in every outcome, and how failures are told."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from duckback.errors import DuckbackError
from duckback.interrupts import undisturbed
from duckback.routes import ROUTES
from duckback.routes.engine import run
from duckback.routes.exchange import Exchange, required
from duckback.routes.route import Route

ROUTE = Route(name="r", on_start=("a",), processors=("b", "c"), on_completion=("d", "e"))
START = Exchange(database="hot", start_time=datetime(2026, 11, 23, tzinfo=UTC))


@dataclass
class Step:
    """Notes its name in the exchange and in `ran`, then does what it was told."""

    name: str
    ran: list[str]
    seen: list[Exchange]
    act: Callable[[], object] | None = None

    def process(self, exchange: Exchange) -> Exchange:
        self.ran.append(self.name)
        self.seen.append(exchange)
        if self.act:
            self.act()
        return replace(exchange, notices=(*exchange.notices, self.name))


def steps(**acts: Callable[[], object]) -> tuple[dict[str, Step], list[str], list[Exchange]]:
    ran: list[str] = []
    seen: list[Exchange] = []
    return {name: Step(name, ran, seen, acts.get(name)) for name in ROUTE.names}, ran, seen


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


def test_steps_run_in_order_and_hand_on_what_they_return() -> None:
    processors, ran, _ = steps()
    done = run(ROUTE, START, processors)
    assert ran == ["a", "b", "c", "d", "e"]
    assert done.notices == ("a", "b", "c", "d", "e")
    assert START.notices == ()


def test_seconds_are_noted_by_name_for_the_steps_before_completion() -> None:
    done = run(ROUTE, START, steps()[0])
    assert list(done.seconds) == ["a", "b", "c"]
    assert all(0 <= taken < 5 for taken in done.seconds.values())


@pytest.mark.parametrize("failing", ["a", "b", "c"])
@pytest.mark.parametrize("error", [DuckbackError("it broke"), OSError("it broke"), KeyboardInterrupt(), SystemExit(3)])
def test_completion_runs_whatever_failed_and_hears_of_it(failing: str, error: BaseException) -> None:
    processors, ran, seen = steps(**{failing: raising(error)})
    with pytest.raises(type(error)) as raised:
        run(ROUTE, START, processors)
    assert raised.value is error
    assert ran == [*"abc"[: "abc".index(failing) + 1], "d", "e"]
    completion = seen[-1]
    assert (completion.status, completion.error) == ("failed", error)
    assert completion.error_message == (str(error) or type(error).__name__)


def test_what_the_failing_step_was_given_is_what_completion_gets() -> None:
    processors, _, seen = steps(c=raising(DuckbackError("x")))
    with pytest.raises(DuckbackError):
        run(ROUTE, START, processors)
    assert seen[-2].notices == ("a", "b")


def test_failures_afterwards_are_notes_on_the_first_and_keep_no_step_from_its_turn() -> None:
    first = DuckbackError("first")
    processors, ran, _ = steps(b=raising(first), d=raising(OSError("second")), e=raising(DuckbackError("third")))
    with pytest.raises(DuckbackError) as raised:
        run(ROUTE, START, processors)
    assert raised.value is first
    assert first.__notes__ == ["and afterwards: second", "and afterwards: third"]
    assert ran == ["a", "b", "d", "e"]


def test_failure_of_completion_alone_fails_the_run_after_all_had_their_turn() -> None:
    error = DuckbackError("staging cannot be removed")
    processors, ran, _ = steps(d=raising(error), e=raising(OSError("nor the ledger reached")))
    with pytest.raises(DuckbackError) as raised:
        run(ROUTE, START, processors)
    assert raised.value is error
    assert error.__notes__ == ["and afterwards: nor the ledger reached"]
    assert ran == ["a", "b", "c", "d", "e"]


def test_whoever_asks_gets_what_completion_left_of_a_run_that_failed() -> None:
    error = DuckbackError("it broke")
    left: list[Exchange] = []
    with pytest.raises(DuckbackError):
        run(ROUTE, START, steps(c=raising(error))[0], left.append)
    assert [(one.status, one.error, one.notices) for one in left] == [("failed", error, ("a", "b", "d", "e"))]
    run(ROUTE, START, steps()[0], left.append)
    assert len(left) == 1


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("during", ["a", "d"])
def test_signal_at_start_or_completion_waits_until_the_steps_are_done(sent: signal.Signals, during: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(sent, interrupt)
    try:
        processors, ran, seen = steps(**{during: lambda: os.kill(os.getpid(), sent)})
        with pytest.raises(KeyboardInterrupt):
            run(ROUTE, START, processors)
        assert signal.getsignal(sent) is interrupt
    finally:
        signal.signal(sent, before)
    assert ran == (["a", "d", "e"] if during == "a" else ["a", "b", "c", "d", "e"])
    assert seen[-1].notices[0] == "a"


def test_signal_after_a_failure_waits_until_completion_is_done() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        processors, ran, _ = steps(b=raising(OSError("x")), d=lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            run(ROUTE, START, processors)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran == ["a", "b", "d", "e"]
    assert processors["e"].seen[-1].notices == ("a", "d")


def test_a_signal_held_back_is_delivered_once_at_the_end() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with undisturbed():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_routes_have_names_of_their_own_and_steps_that_appear_once() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert len(set(route.names)) == len(route.names)


def test_missing_part_of_an_exchange_is_a_defect_of_the_route() -> None:
    with pytest.raises(AssertionError, match="runs this processor before"):
        required(None)
