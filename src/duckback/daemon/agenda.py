"""Which databases are to be attended to: what is due, who is busy, and how many may be at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from duckback.model.schedule import Decision, Failure, History, Plan, Task, decide

_LOOK_EVERY: Final = timedelta(hours=1)
"""Others back up, verify and prune too: what was seen of a repository is not trusted for longer."""


@dataclass
class _Watched:
    plan: Plan
    history: History | None = None
    looked_at: datetime | None = None
    decision: Decision | None = None
    decided_at: datetime | None = None
    failures: tuple[Failure, ...] | None = None
    is_busy: bool = False
    first_seen: dict[object, datetime] = field(default_factory=dict)


class Agenda:
    """What the daemon knows of its databases. No clock: it is told what time it is.

    A database is looked at before anything is run for it, and holds its place among `at_once` from the look to the
    end of the run: so no two runs of one overlap, and nothing is run that somebody else has done meanwhile.

    Args:
        plans: of each database, by name.
        at_once: how many may be attended to at a time.
    """

    def __init__(self, plans: Mapping[str, Plan], at_once: int) -> None:
        self._at_once = at_once
        self._watched = {name: _Watched(plan) for name, plan in plans.items()}

    @property
    def busy(self) -> tuple[str, ...]:
        """The databases that are attended to."""
        return tuple(name for name, one in self._watched.items() if one.is_busy)

    def decision(self, name: str) -> Decision | None:
        """The last one on a database; None before it was looked at."""
        return self._watched[name].decision

    def attend(self, now: datetime) -> list[str]:
        """The databases to look at now, the longest overdue first, busy from now on."""
        free = self._at_once - len(self.busy)
        wanted = sorted((since, name) for name in self._watched if (since := self._wanted(name, now)) is not None)
        chosen = [name for _, name in wanted[: max(free, 0)]]
        for name in chosen:
            self._watched[name].is_busy = True
        return chosen

    def _wanted(self, name: str, now: datetime) -> datetime | None:
        one = self._watched[name]
        if one.is_busy:
            return None
        if one.history is None or one.looked_at is None:
            # Never looked at, or not since its last run: before everything else.
            return datetime.min.replace(tzinfo=now.tzinfo)
        if not one.looked_at <= now < one.looked_at + _LOOK_EVERY:
            return one.looked_at
        decision = self._decided(one, one.history, now)
        return decision.since if decision.task is not None else None

    def looked(self, name: str, history: History, now: datetime) -> Task | None:
        """Take what the repository and the ledger say of a database.

        Returns:
            What is to be run for it at once; None: nothing, and it is not busy any more.
        """
        one = self._watched[name]
        if one.failures is None:
            one.failures = history.failures
        one.history, one.looked_at, one.decided_at = history, now, None
        decision = self._decided(one, history, now)
        one.is_busy = decision.task is not None
        return decision.task

    def ended(self, name: str, task: Task | None, now: datetime, *, failed: bool) -> None:
        """Take that a run has ended, or (no task) that the look failed; the database is not busy any more."""
        one = self._watched[name]
        one.is_busy = False
        one.decided_at = None
        if task is not None and not failed:
            one.history = None
            one.failures = tuple(left for left in one.failures or () if left.task is not task)
        elif failed:
            wanted = one.decision.task if one.decision is not None else None
            one.failures = (*(one.failures or ()), Failure(task or wanted or Task.FULL, now))
            # What is known has to do until the next look, so that the retry is decided and not hurried.
            one.history, one.looked_at = one.history or History(), now

    def asks_again_at(self, now: datetime) -> datetime:
        """When `attend` is worth asking again, if nothing ends before."""
        idle = [one for one in self._watched.values() if not one.is_busy]
        times = [one.decision.again_at for one in idle if one.decision is not None and one.decision.task is None]
        return min((*times, now + _LOOK_EVERY))

    def _decided(self, one: _Watched, history: History, now: datetime) -> Decision:
        last = one.decision
        if last is None or one.decided_at is None or not one.decided_at <= now < last.again_at:
            seen = history.seen(lambda what, moment: _seen(one, what, moment, now))
            last = decide(one.plan, replace(seen, failures=one.failures or ()), now)
            one.decision, one.decided_at = last, now
        return last


def _seen(one: _Watched, what: object, moment: datetime, now: datetime) -> datetime:
    # What lies ahead was done before the clock was set back: it counts from when it was first seen.
    if moment > now:
        return one.first_seen.setdefault(what, now)
    return one.first_seen.get(what, moment)
