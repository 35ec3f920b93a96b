"""The engine: a loop over a route's processors."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from duckback import interrupts, logs
from duckback.interrupts import undisturbed
from duckback.routes.processor import E, Processor
from duckback.routes.route import Route

_log = logs.logger()


def unheard(_: object) -> None:
    """Nobody asks how a run that failed was left."""


def run(
    route: Route, exchange: E, processors: Mapping[str, Processor[Any]], failed: Callable[[E], None] = unheard
) -> E:
    """Send an exchange through a route.

    Args:
        route: which processors, in which order.
        exchange: as it enters.
        processors: by name; every name of the route is there.
        failed: where a processor fails, gets the exchange as the on_completion steps leave it.

    Returns:
        The exchange as it leaves, its `seconds` filled in.

    Raises:
        DuckbackError: a processor failed; the on_completion steps have run.
    """
    with logs.bound(route=route.name, database=exchange.database):
        return _run(route, exchange, processors, failed)


def _run(route: Route, exchange: E, processors: Mapping[str, Processor[Any]], heard: Callable[[E], None]) -> E:
    try:
        with undisturbed():
            for name in route.on_start:
                exchange = _timed(processors[name], exchange)
        for name in route.processors:
            exchange = _timed(processors[name], exchange)
    except BaseException as error:
        cause = KeyboardInterrupt() if interrupts.have_come() else error
        reason = str(cause) or type(cause).__name__
        _log.info("route failed", route=route.name, error=reason)
        failed = replace(exchange, status="failed", error=cause, error_message=reason)
        with undisturbed():
            heard(_complete(route, failed, processors, cause))
        if cause is error:
            raise
        raise cause from error
    with undisturbed():
        return _complete(route, exchange, processors, None)


def _timed(processor: Processor[E], exchange: E) -> E:
    started = time.monotonic()
    _log.debug("processor started", processor=processor.name)
    result = processor.process(exchange)
    seconds = time.monotonic() - started
    _log.debug("processor finished", processor=processor.name, seconds=round(seconds, 3))
    return replace(result, seconds={**result.seconds, processor.name: seconds})


def _complete(route: Route, exchange: E, processors: Mapping[str, Processor[Any]], cause: BaseException | None) -> E:
    # Every step gets its turn, and no failure of one hides what failed the route.
    failures: list[BaseException] = []
    for name in route.on_completion:
        try:
            exchange = processors[name].process(exchange)
        except Exception as error:  # noqa: BLE001 -- collected, and raised below
            failures.append(error)
    if cause is None and failures:
        cause, *failures = failures
        _note(cause, failures)
        raise cause
    if cause is not None:
        _note(cause, failures)
    return exchange


def _note(cause: BaseException, failures: Iterable[BaseException]) -> None:
    for failure in failures:
        cause.add_note(f"and afterwards: {failure}")
