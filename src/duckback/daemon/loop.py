"""The loop of the daemon: wait, ask the agenda, start, listen; and stop in order."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from duckback.audit.past import Past
from duckback.daemon.agenda import Agenda
from duckback.daemon.outcome import Outcome
from duckback.model.schedule import Task

LONGEST_WAIT: Final = timedelta(minutes=1)
"""The clock may be set, and the machine may sleep, while the loop waits: it asks again at least so often."""


@dataclass(frozen=True)
class Looked:
    """What a look at a database came to."""

    name: str
    past: Past


@dataclass(frozen=True)
class Ended:
    """A run is over; with no task, a look that failed."""

    name: str
    task: Task | None
    outcome: Outcome
    run_id: UUID | None = None


@dataclass(frozen=True)
class Stop:
    """The daemon is to end."""


Message = Looked | Ended | Stop


class Runner(Protocol):
    """Does the work beside the loop. Each call returns at once; its message comes later."""

    def look(self, name: str) -> None:
        """Look at a database; answered by `Looked`, or by `Ended` without a task."""
        ...

    def run(self, name: str, task: Task) -> UUID:
        """Run a task, answered by `Ended`; returns the id of the run."""
        ...

    def stop(self) -> None:
        """Ask every run to end; each is answered as ever."""
        ...

    def kill(self) -> None:
        """End what has not ended."""
        ...


class Observer(Protocol):
    """Hears what the loop does."""

    def looked(self, name: str, past: Past) -> None: ...

    def started(self, name: str, task: Task, reason: str, run_id: UUID) -> None: ...

    def ended(self, ended: Ended) -> None: ...

    def beat(self) -> None:
        """The loop is alive."""
        ...


class Loop:
    """One thread, which alone touches the agenda.

    Args:
        agenda: of the databases.
        runner: does the work.
        wait: for the next message, at most so many seconds; None when they are over.
        clock: now, in UTC.
        observer: hears of everything.
        stop_within: how long runs may take to end after `Stop`.
    """

    def __init__(
        self,
        agenda: Agenda,
        runner: Runner,
        *,
        wait: Callable[[float], Message | None],
        clock: Callable[[], datetime],
        observer: Observer,
        stop_within: timedelta,
    ) -> None:
        self._agenda = agenda
        self._runner = runner
        self._wait = wait
        self._clock = clock
        self._observer = observer
        self._stop_within = stop_within

    def run(self, longest_wait: timedelta = LONGEST_WAIT) -> None:
        """Attend to the databases until `Stop` comes."""
        while True:
            self._observer.beat()
            now = self._clock()
            for name in self._agenda.attend(now):
                self._runner.look(name)
            pause = min(self._agenda.asks_again_at(now) - now, longest_wait)
            message = self._wait(max(pause.total_seconds(), 0.0))
            if isinstance(message, Stop):
                break
            if message is not None:
                self._take(message)
        self._end()

    def _take(self, message: Looked | Ended, *, stopping: bool = False) -> None:
        match message:
            case Looked(name, past):
                self._observer.looked(name, past)
                task = self._agenda.looked(name, past.history, self._clock())
                decision = self._agenda.decision(name)
                if task is None or decision is None:
                    return
                if stopping:
                    self._agenda.ended(name, task, self._clock(), failed=True)
                    return
                self._observer.started(name, task, decision.reason, self._runner.run(name, task))
            case Ended(name, task, outcome):
                self._observer.ended(message)
                self._agenda.ended(name, task, self._clock(), failed=not outcome.ok)

    def _end(self) -> None:
        self._runner.stop()
        left = self._stop_within.total_seconds()
        # Counted in waits and not by the clock, which may be set meanwhile.
        step = 1.0
        for _ in range(math.ceil(left / step)):
            if not self._agenda.busy:
                return
            self._observer.beat()
            message = self._wait(step)
            if isinstance(message, Stop):
                break  # whoever asks twice does not want to wait
            if message is not None:
                self._take(message, stopping=True)
        self._runner.kill()
