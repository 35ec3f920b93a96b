"""What is due for a database, as a pure function of what has been done and of what time it is.

Nothing is remembered between two runs but what the repository and the ledger hold: after a restart, a sleep or a change
of the clock the same question gives the same answer.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from duckback.model.timetable import Delayed, Every, Timetable

Scope = Literal["full", "incremental"]

FIRST_RETRY: Final = timedelta(minutes=1)
LAST_RETRY: Final = timedelta(minutes=30)
_SHARE_OF_A_GAP: Final = 4
_MOST_DOUBLINGS: Final = 16


class Task(StrEnum):
    """What can be due, in the order in which it is done where several are."""

    FULL = "full"
    INCREMENTAL = "incremental"
    VERIFY = "verify"
    TEST_RESTORE = "test_restore"


BACKUPS: Final = frozenset({Task.FULL, Task.INCREMENTAL})


@dataclass(frozen=True)
class Plan:
    """When what is to be done; a task without a timetable never is."""

    tasks: Mapping[Task, Delayed]


@dataclass(frozen=True)
class Taken:
    """A committed backup: its scope, the start of its run, and its id."""

    scope: Scope
    at: datetime
    backup_id: UUID


@dataclass(frozen=True)
class Failure:
    """A run that failed, or never came to an end, and when."""

    task: Task
    at: datetime


@dataclass(frozen=True)
class History:
    """What has been done for a database; times are aware.

    Attributes:
        taken: the newest committed backups, back to the newest full one at least.
        unverified: how many committed backups have no good verification on record.
        verified_at: the last verification, good or bad; None where there was none.
        test_restored_at: the last test restore that worked; likewise.
        failures: of runs, oldest first; those before a success count for nothing.
    """

    taken: tuple[Taken, ...] = ()
    unverified: int = 0
    verified_at: datetime | None = None
    test_restored_at: datetime | None = None
    failures: tuple[Failure, ...] = ()

    def done(self, task: Task) -> datetime | None:
        """When a task was last done; an incremental is, too, by a full."""
        match task:
            case Task.FULL:
                return max((one.at for one in self.taken if one.scope == "full"), default=None)
            case Task.INCREMENTAL:
                return max((one.at for one in self.taken), default=None)
            case Task.VERIFY:
                return self.verified_at
            case Task.TEST_RESTORE:
                return self.test_restored_at

    def seen(self, at: Callable[[object, datetime], datetime]) -> "History":
        """The same with other times: `at` gets what was done, so that it can tell it from others, and when."""
        return replace(
            self,
            taken=tuple(replace(one, at=at(one.backup_id, one.at)) for one in self.taken),
            verified_at=at((Task.VERIFY, self.verified_at), self.verified_at) if self.verified_at else None,
            test_restored_at=at((Task.TEST_RESTORE, self.test_restored_at), self.test_restored_at)
            if self.test_restored_at
            else None,
        )


@dataclass(frozen=True)
class Decision:
    """What is to be done now, and why.

    Attributes:
        task: None: nothing.
        reason: in words.
        since: the moment at which it became due; that of the question where nothing is.
        again_at: when to ask next, at the latest, if nothing happens meanwhile.
    """

    task: Task | None
    reason: str
    since: datetime
    again_at: datetime


@dataclass(frozen=True)
class _Verdict:
    """On one task: due, waiting for its retry, or not due; `at` is since when, or when to ask again."""

    is_due: bool
    reason: str
    at: datetime


def plan(name: str, timetables: Mapping[Task, Timetable | None], spread: timedelta) -> Plan:
    """The timetables of a database, each delayed by a share of `spread` that its name alone decides.

    The delay is shorter than the interval, and the same for all tasks whose interval is longer than `spread`.
    """
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
    tasks = {task: table for task, table in timetables.items() if table is not None}
    return Plan({task: Delayed(table, _delay(table, spread, share)) for task, table in tasks.items()})


def _delay(table: Timetable, spread: timedelta, share: float) -> timedelta:
    longest = min(spread, table.interval) if isinstance(table, Every) else spread
    return timedelta(seconds=int(longest.total_seconds() * share))


def decide(plan: Plan, history: History, now: datetime) -> Decision:
    """What is due.

    A task is due if the newest moment of its timetable has no run that started at or after it: however many moments
    went by, one run catches up. A full goes before an incremental, which it makes needless; while a full that failed
    waits for its retry, an incremental that is due is taken. Where backups are always due, a verification or a test
    restore that has waited for twice its interval has its turn between two of them.
    """
    verdicts = {task: _verdict(task, plan.tasks[task], history, now) for task in Task if task in plan.tasks}
    due = [task for task, verdict in verdicts.items() if verdict.is_due]
    if due:
        chosen = next((task for task in due if _starves(task, plan, history, now)), due[0])
        return Decision(chosen, verdicts[chosen].reason, verdicts[chosen].at, now)
    reasons = "; ".join(f"{task}: {verdict.reason}" for task, verdict in verdicts.items())
    return Decision(None, reasons, now, min((one.at for one in verdicts.values()), default=now + LAST_RETRY))


def _starves(task: Task, plan: Plan, history: History, now: datetime) -> bool:
    if task in BACKUPS or not history.taken:
        return False
    table, backups = plan.tasks[task], plan.tasks.get(Task.INCREMENTAL, plan.tasks[Task.FULL])
    newest = max(one.at for one in history.taken)
    # After a downtime, the backup comes first.
    if now - newest > 2 * _gap(backups, now):
        return False
    done = history.done(task)
    return done is None or now - done > 2 * _gap(table, now)


def _gap(table: Delayed, now: datetime) -> timedelta:
    return table.next(now) - table.last(now)


def _verdict(task: Task, table: Delayed, history: History, now: datetime) -> _Verdict:
    moment, following = table.last(now), table.next(now)
    done = history.done(task)
    if not history.taken and task is not Task.FULL:
        # An incremental without a backup would be refused, and the others would have nothing to look at.
        return _Verdict(is_due=False, reason="there is no backup yet", at=following)
    if task is Task.VERIFY and not history.unverified:
        return _Verdict(is_due=False, reason="every backup is verified", at=following)
    if done is not None and done >= moment:
        return _Verdict(is_due=False, reason=f"done at {done:%Y-%m-%d %H:%M:%S}", at=following)
    retry_at = retry(tuple(one for one in history.failures if one.task is task), done, following - moment, now)
    if retry_at > now:
        return _Verdict(is_due=False, reason=f"failed, and is tried again at {retry_at:%H:%M:%S}", at=retry_at)
    what = "never done" if done is None else f"last done at {done:%Y-%m-%d %H:%M:%S}"
    return _Verdict(is_due=True, reason=f"due since {moment:%Y-%m-%d %H:%M:%S}, {what}", at=moment)


def retry(failures: tuple[Failure, ...], done: datetime | None, gap: timedelta, now: datetime) -> datetime:
    """When a task that failed may be tried again.

    One minute after the first failure, then twice as long after each, but never longer than half an hour or a quarter
    of the time between two moments: a run that keeps failing is neither hammered nor left to the next moment.

    Args:
        failures: of this task, oldest first.
        done: when it last was done; failures before it are over.
        gap: between two moments of its timetable.
        now: failures after it come from a clock that was set back, and bind nobody.
    """
    open_ones = [one for one in failures if one.at <= now and (done is None or one.at > done)]
    if not open_ones:
        return now
    doublings = min(len(open_ones) - 1, _MOST_DOUBLINGS)
    wait: timedelta = min(FIRST_RETRY * (1 << doublings), LAST_RETRY, gap / _SHARE_OF_A_GAP)
    return open_ones[-1].at + wait
