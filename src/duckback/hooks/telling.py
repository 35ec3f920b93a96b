"""A run with its hooks around it."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Literal, Self
from uuid import UUID

from duckback.errors import DuckbackError, Interrupted, TookTooLong
from duckback.hooks.hooks import Hooks
from duckback.hooks.told import Told
from duckback.interrupts import have_come, time_is_over, undisturbed
from duckback.logs import bound, bound_fields
from duckback.model.ids import new_id
from duckback.routes.exchange import BackupExchange, CleanupExchange, RestoreExchange, VerificationExchange
from duckback.routes.processor import E

_TOLD: Final = "_duckback_told"


class Telling:
    """Tells the hooks of one run: when it begins, and how it ends, whatever ends it; use it as a context.

    That a hook fails is a notice of the exchange, or a note on the error that failed the run: it never makes a good
    run bad, nor hides a bad one. All log lines of the run carry its id.

    Args:
        hooks: to tell.
        about: the start of the run; `begins` may correct its route and database.
        clock: now, in UTC.
    """

    def __init__(self, hooks: Hooks, about: Told, clock: Callable[[], datetime]) -> None:
        self._hooks = hooks
        self._about = about
        self._clock = clock
        self._began = time.monotonic()
        self._problems: tuple[str, ...] = ()
        self._has_begun = False
        self._is_told = False
        self._bound = ExitStack()

    def __enter__(self) -> Self:
        self._bound.enter_context(bound(run_id=str(self._about.run_id)))
        return self

    def begins(self, route: str, database: str) -> None:
        """The run is about to be sent through that route."""
        about = replace(self._about, route=route, database=database)
        # A backup that was withdrawn is taken once more, in the same run.
        if not self._has_begun or about != self._about:
            self._problems += self._hooks.tell(about)
        self._about, self._has_begun = about, True

    def ends(self, exchange: E) -> E:
        """It came to its end; the exchange, with what went wrong with the hooks among its notices."""
        self._is_told = True
        self._problems += self._tell("success" if is_good(exchange) else "failure", _details(exchange))
        return replace(exchange, notices=(*exchange.notices, *self._problems))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None and not self._is_told:
                with undisturbed():
                    self._problems += self._tell("failure", {"error": words(error)})
                error.__dict__[_TOLD] = True
                for problem in self._problems:
                    error.add_note(problem)
        finally:
            self._bound.close()

    def _tell(self, event: Literal["success", "failure"], details: dict[str, Any]) -> tuple[str, ...]:
        seconds = round(time.monotonic() - self._began, 3)
        return self._hooks.tell(
            replace(self._about, event=event, at=self._clock(), details={"seconds": seconds, **details})
        )


def run_id_of(started: datetime) -> UUID:
    """The id that log lines and hooks know this run by: the one that is bound already, else a new one."""
    known = bound_fields().get("run_id")
    return UUID(known) if known else new_id(started)


def has_been_told(error: BaseException) -> bool:
    """Whether it came out of a `Telling`, which has told the hooks of it."""
    return _TOLD in error.__dict__


def is_good(exchange: object) -> bool:
    """Whether a run that came to its end did all it was for, and found nothing wrong."""
    match exchange:
        case VerificationExchange():
            return all(one.is_good for one in exchange.results) and not exchange.not_reached
        case RestoreExchange():
            return not exchange.is_partial
        case CleanupExchange(cleaned=cleaned) if cleaned is not None:
            return not cleaned.refused
        case _:
            return True


def stopped() -> DuckbackError:
    """What a signal has ended a run for."""
    if time_is_over():
        return TookTooLong(
            "the run was given up, because it took too long; nothing half-done is visible",
            hint="Look what holds it up, or raise daemon.longest_run.",
        )
    return Interrupted("the run was stopped; nothing half-done is visible")


def words(error: BaseException) -> dict[str, str]:
    """What went wrong, as hooks are told it."""
    if isinstance(error, KeyboardInterrupt) or have_come():
        error = stopped()
    hint = error.hint if isinstance(error, DuckbackError) else ""
    return {"type": type(error).__name__, "message": str(error) or type(error).__name__, "hint": hint}


def _details(exchange: object) -> dict[str, Any]:
    match exchange:
        case BackupExchange(committed=committed) if committed is not None:
            return {
                "backup_id": str(exchange.backup_id),
                "scope": exchange.backup_scope,
                "rows": committed.manifest.rows,
                "bytes_added": committed.manifest.bytes_added,
                "objects_added": exchange.uploaded_file_count,
                "notices": list(exchange.notices),
            }
        case RestoreExchange(committed=committed) if committed is not None:
            details = {"backup_id": str(committed.manifest.backup_id), "target": str(exchange.target)}
            return {**details, "deferred": [f"{item.kind} {item.label}" for item in exchange.deferred]}
        case VerificationExchange():
            good, bad = (
                [str(one.backup_id) for one in exchange.results if one.is_good is wanted] for wanted in (True, False)
            )
            return {"good": good, "bad": bad, "not_reached": [str(one) for one in exchange.not_reached]}
        case CleanupExchange(cleaned=cleaned) if cleaned is not None:
            return {"refused": [one.key for one in cleaned.refused]}
        case _:
            return {}
