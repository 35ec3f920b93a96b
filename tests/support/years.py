"""A world without clocks and processes: databases, their backups, and a daemon's loop in simulated time."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from duckback.audit.past import Past
from duckback.daemon.agenda import Agenda
from duckback.daemon.loop import Ended, Looked, Loop, Message, Stop
from duckback.daemon.outcome import Outcome
from duckback.model.schedule import Failure, History, Plan, Taken, Task

SECOND = timedelta(seconds=1)
START = datetime(2028, 1, 1, tzinfo=UTC)
"""Of a leap year."""


class Crash(Exception):
    """The daemon's process is gone, and its children with it."""


@dataclass
class Done:
    """What a repository and a ledger hold of one database."""

    taken: list[Taken] = field(default_factory=list)
    unverified: int = 0
    verified_at: datetime | None = None
    test_restored_at: datetime | None = None
    failures: list[Failure] = field(default_factory=list)

    @property
    def history(self) -> History:
        return History(
            tuple(self.taken), self.unverified, self.verified_at, self.test_restored_at, tuple(self.failures)
        )


@dataclass(frozen=True, order=True)
class Run:
    """One run: when it began by the clock on the wall, of what, and when it really began."""

    at: datetime
    name: str
    task: Task
    true: datetime = field(default=START, compare=False)


class World:
    """Time passes in `wait` alone. `events` happen at true moments; the wall's clock is `offset` beside the truth.

    Attributes:
        runs: every run that was begun, in order.
        most: the highest number of runs at a time.
    """

    def __init__(self, plans: Mapping[str, Plan], *, at_once: int = 2, minutes: float = 10) -> None:
        self.plans = plans
        self.at_once = at_once
        self.lasts = timedelta(minutes=minutes)
        self.true = START
        self.offset = timedelta(0)
        self.longest_wait = timedelta(hours=1)
        self.done = {name: Done() for name in plans}
        self.runs: list[Run] = []
        self.failed: list[Run] = []
        self.reasons: list[str] = []
        self.most = 0
        self.fails: Callable[[Run], bool] = lambda _: False
        self.cannot_look: Callable[[datetime], bool] = lambda _: False
        self._running: dict[str, Run] = {}
        self._messages: list[tuple[datetime, int, str, Task | None]] = []
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._number = count()

    def clock(self) -> datetime:
        return self.true + self.offset

    def at(self, moment: datetime, event: Callable[[], None]) -> None:
        """Let something happen."""
        heapq.heappush(self._events, (moment, next(self._number), event))

    def step_clock(self, moment: datetime, by: timedelta) -> None:
        self.longest_wait = timedelta(minutes=10)

        def step() -> None:
            self.offset += by

        self.at(moment, step)

    def crash(self, moment: datetime) -> None:
        def crash() -> None:
            raise Crash

        self.at(moment, crash)

    def suspend(self, moment: datetime, length: timedelta) -> None:
        """The machine sleeps: everything that runs ends so much later."""

        def sleep() -> None:
            self.true += length
            self._messages = [(at + length, *rest) for at, *rest in self._messages]  # type: ignore[misc]

        self.at(moment, sleep)

    def live(self, until: datetime, *, away: timedelta = timedelta(0)) -> None:
        """Run the daemon until then; after a crash it is back `away` later."""
        while self.true < until:
            loop = Loop(
                Agenda(self.plans, self.at_once),
                self,
                wait=lambda seconds: self._wait(seconds, until),
                clock=self.clock,
                observer=self,
                stop_within=timedelta(0),
            )
            try:
                loop.run(longest_wait=self.longest_wait)
            except Crash:
                self._messages.clear()
                for run in self._running.values():
                    self.done[run.name].failures.append(Failure(run.task, run.at))
                self._running.clear()
                self.true += away

    def _wait(self, seconds: float, until: datetime) -> Message | None:
        end = min(self.true + timedelta(seconds=seconds), until)
        message_at = self._messages[0][0] if self._messages else end
        if self._events and self._events[0][0] <= min(end, message_at):
            moment, _, event = heapq.heappop(self._events)
            self.true = max(self.true, moment)
            event()
            return None
        if self._messages and message_at <= end:
            self.true, _, name, task = heapq.heappop(self._messages)
            return self._message(name, task)
        self.true = end
        return Stop() if self.true >= until else None

    def _message(self, name: str, task: Task | None) -> Message:
        if task is None:
            if self.cannot_look(self.true):
                return Ended(name, None, Outcome(ok=False, error="StoreUnavailable"))
            return Looked(name, Past(self.done[name].history))
        run = self._running.pop(name)
        if self.fails(run):
            self.failed.append(run)
            self.done[name].failures.append(Failure(task, self.clock()))
            return Ended(name, task, Outcome(ok=False, error="StoreError"))
        self._record(run)
        return Ended(name, task, Outcome(ok=True))

    def _record(self, run: Run) -> None:
        done = self.done[run.name]
        match run.task:
            case Task.FULL | Task.INCREMENTAL:
                done.taken.append(Taken("full" if run.task is Task.FULL else "incremental", run.at, uuid4()))
                done.taken = done.taken[-8:]
                done.unverified += 1
            case Task.VERIFY:
                done.unverified, done.verified_at = 0, run.at
            case Task.TEST_RESTORE:
                done.test_restored_at = run.at

    # The runner

    def look(self, name: str) -> None:
        heapq.heappush(self._messages, (self.true, next(self._number), name, None))

    def run(self, name: str, task: Task) -> UUID:
        assert name not in self._running, "two runs of one database at a time"
        run = Run(self.clock(), name, task, self.true)
        self.runs.append(run)
        self._running[name] = run
        self.most = max(self.most, len(self._running))
        heapq.heappush(self._messages, (self.true + self.lasts, next(self._number), name, task))
        return uuid4()

    def stop(self) -> None: ...

    def kill(self) -> None: ...

    # The observer

    def looked(self, name: str, past: Past) -> None: ...

    def started(self, name: str, task: Task, reason: str, run_id: UUID) -> None:
        self.reasons.append(f"{name} {task}: {reason}")

    def ended(self, ended: Ended) -> None: ...

    def beat(self) -> None: ...
