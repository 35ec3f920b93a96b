"""The runner: looks in threads, runs in child processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from duckback.api import Duckback
from duckback.audit.past import Past
from duckback.config.options import Options
from duckback.config.plain import plain
from duckback.daemon.looks import Looks
from duckback.daemon.loop import Ended, Looked, Message
from duckback.daemon.order import Order
from duckback.daemon.outcome import Outcome
from duckback.daemon.tasks import ROUTE_OF
from duckback.errors import DuckbackError, Interrupted
from duckback.hooks import Hooks, Told
from duckback.interrupts import TIME_IS_OVER
from duckback.logs import logger, redacted
from duckback.model.ids import new_id
from duckback.model.schedule import Task

_log = logger()
_COMMAND: Final = (sys.executable, "-m", "duckback.daemon.worker")
_LAST_WORDS_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Protected:
    """A database that the daemon protects: its file, and its options, which name it."""

    database: Path
    options: Options


class Processes:
    """A `Runner`: its messages go to `tell`, from threads.

    Args:
        protected: the databases, by name.
        tell: takes messages.
    """

    def __init__(self, protected: Mapping[str, Protected], tell: Callable[[Message], None]) -> None:
        self._protected = protected
        self._tell = tell
        self._looks = Looks()
        self._children: dict[UUID, subprocess.Popen[bytes]] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_stopping = False

    def look(self, name: str) -> None:
        self._start(f"look-{name}", lambda: self._look(name))

    def run(self, name: str, task: Task) -> UUID:
        run_id = new_id(datetime.now(UTC))
        self._start(f"run-{name}", lambda: self._run(name, task, run_id))
        return run_id

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        until = time.monotonic() + _LAST_WORDS_SECONDS
        for thread in self._threads:
            # They may have to tell a hook that a run was killed.
            thread.join(max(until - time.monotonic(), 0))

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            self._is_stopping = True
            children = list(self._children.values())
        for child in children:
            child.send_signal(number)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def hanging(self) -> dict[str, float]:
        """The databases that a look has been given up for and still hangs, and for how many seconds."""
        return self._looks.hanging()

    def _look(self, name: str) -> None:
        options = self._protected[name].options
        self._looks.look(
            name,
            lambda: Duckback(**options.model_dump()).health.past(name),
            options.daemon.longest_look,
            lambda found: self._looked(name, found),
        )

    def _looked(self, name: str, found: Past | Exception) -> None:
        if isinstance(found, Past):
            self._tell(Looked(name, found))
            return
        outcome = _lost(found)
        self._tell_hooks(name, Task.FULL, new_id(datetime.now(UTC)), outcome)
        self._tell(Ended(name, None, outcome))

    def _run(self, name: str, task: Task, run_id: UUID) -> None:
        started = time.monotonic()
        try:
            outcome = self._child(name, task, run_id)
        except Exception as error:  # noqa: BLE001 -- as above
            outcome = _lost(error)
        if not outcome.is_told:
            self._tell_hooks(name, task, run_id, outcome)
        lasted = {"seconds": outcome.seconds or time.monotonic() - started, "route": outcome.route or ROUTE_OF[task]}
        self._tell(Ended(name, task, outcome.model_copy(update=lasted), run_id))

    def _child(self, name: str, task: Task, run_id: UUID) -> Outcome:
        """What a run came to."""
        one = self._protected[name]
        limits = one.options.daemon
        order = Order(
            task=task,
            run_id=run_id,
            database=one.database,
            options=plain(one.options),
            stop_within=limits.stop_within.total_seconds(),
        )
        child = subprocess.Popen(  # noqa: S603 -- our own module, no shell
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        try:
            with self._lock:
                self._children[run_id] = child
                is_stopping = self._is_stopping
            if is_stopping:
                child.terminate()
            with _given_up_after(child, limits.longest_run, limits.stop_within):
                answer = _converse(child, order)
        finally:
            with self._lock:
                self._children.pop(run_id, None)
            child.kill()
            child.communicate()
        try:
            return Outcome.model_validate_json(answer)
        except ValidationError:
            if self._is_stopping:
                # It had not begun yet, and could not say so.
                return Outcome(ok=False, error=Interrupted.__name__, message="the run was stopped")
            return _died(child.returncode, _in_hours(limits.longest_run))

    def _tell_hooks(self, name: str, task: Task, run_id: UUID, outcome: Outcome) -> None:
        options = self._protected[name].options
        error = {"type": outcome.error, "message": outcome.message, "hint": outcome.hint}
        told = Told(
            event="failure",
            route=ROUTE_OF[task],
            database=name,
            repository=str(options.repo),
            run_id=run_id,
            at=datetime.now(UTC),
            details={"error": error},
        )
        Hooks(options.hooks).tell(told)


def _converse(child: "subprocess.Popen[bytes]", order: Order) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise AssertionError("the process has pipes")
    with suppress(BrokenPipeError):
        child.stdin.write(order.model_dump_json().encode() + b"\n")
        child.stdin.flush()
    # Its input stays open as long as it lives: its end would tell it that the daemon is gone.
    answer = child.stdout.read()
    child.wait()
    return answer


class _given_up_after:  # noqa: N801 -- used like a function
    """Ends a child that takes too long: asked first, killed later."""

    def __init__(self, child: "subprocess.Popen[bytes]", limit: timedelta, grace: timedelta) -> None:
        self._timers = [
            threading.Timer(limit.total_seconds(), child.send_signal, (TIME_IS_OVER,)),
            threading.Timer((limit + grace).total_seconds(), child.kill),
        ]

    def __enter__(self) -> None:
        for timer in self._timers:
            timer.daemon = True
            timer.start()

    def __exit__(self, *_: object) -> None:
        for timer in self._timers:
            timer.cancel()


def _in_hours(limit: timedelta) -> str:
    """A limit, in words of a hint."""
    return f"{limit.total_seconds() / 3600:g} h"


def _died(code: int, limit: str) -> Outcome:
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
    return Outcome(
        ok=False,
        error="DuckbackError",
        is_told=False,
        message=f"the process of the run ended {how} and gave no answer",
        hint=f"Killed for memory? Lower memory_limit. After {limit} (daemon.longest_run) a run is given up.",
    )


def _lost(error: BaseException) -> Outcome:
    hint = error.hint if isinstance(error, DuckbackError) else ""
    if not isinstance(error, DuckbackError):
        _log.error("internal error", exc_info=error)
    return Outcome(ok=False, error=type(error).__name__, is_told=False, message=redacted(str(error)), hint=hint)


def can_write(directory: Path) -> bool:
    """Whether this user can make files in a directory, or make it."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    return os.access(there, os.W_OK | os.X_OK)
