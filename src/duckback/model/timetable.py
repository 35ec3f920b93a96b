"""Moments that come back: every so often, or as a cron expression says."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS: Final = 5


@dataclass(frozen=True)
class Every:
    """A moment each `interval`, counted from 1970-01-01T00:00Z: "6h" is 00:00, 06:00, 12:00 and 18:00 UTC.

    Counted so, and not from the last run, runs do not drift, and what is due needs no memory.
    """

    interval: timedelta

    def last(self, now: datetime) -> datetime:
        """The newest moment not after `now` (aware); in UTC."""
        return _EPOCH + (now - _EPOCH) // self.interval * self.interval

    def next(self, now: datetime) -> datetime:
        """The first moment after `now` (aware); in UTC."""
        return self.last(now) + self.interval


@dataclass(frozen=True)
class Cron:
    """The moments of a cron expression of five fields in a time zone, as Debian's cron has them.

    A moment that a change to summer time skips comes right after the change; one that a change back repeats comes
    once, unless the expression names every hour or minute with a star.

    Raises:
        ValueError: it is no such expression, or it names a day that never comes.
    """

    expression: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if len(self.expression.split()) != _FIELDS:
            raise ValueError(f"{self.expression!r} has not the five fields of a cron expression")
        try:
            next(CronSim(self.expression, _EPOCH))
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"{self.expression!r} is no cron expression: {error}") from error

    def last(self, now: datetime) -> datetime:
        """As `Every.last`."""
        # A search backwards leaves out the second that it begins with.
        begin = now.replace(microsecond=0) + timedelta(seconds=1)
        return next(CronSim(self.expression, begin.astimezone(self.zone), reverse=True)).astimezone(UTC)

    def next(self, now: datetime) -> datetime:
        """As `Every.next`."""
        return next(CronSim(self.expression, now.astimezone(self.zone))).astimezone(UTC)


Timetable = Every | Cron


@dataclass(frozen=True)
class Delayed:
    """The moments of a timetable, each later by the same time; so do many databases not begin at once."""

    timetable: Timetable
    delay: timedelta

    def last(self, now: datetime) -> datetime:
        """As `Every.last`."""
        return self.timetable.last(now - self.delay) + self.delay

    def next(self, now: datetime) -> datetime:
        """As `Every.next`."""
        return self.timetable.next(now - self.delay) + self.delay


def longest_gap(timetables: tuple[Timetable, ...], now: datetime, *, moments: int = 400) -> timedelta:
    """The longest time between neighbouring moments of these timetables together, among the next ones after `now`."""
    intervals = [table.interval for table in timetables if isinstance(table, Every)]
    crons = [table for table in timetables if isinstance(table, Cron)]
    if not crons:
        return min(intervals)
    gap, at = timedelta(0), now
    for number in range(moments):
        following = min(table.next(at) for table in timetables)
        # The first is cut short by `now`.
        gap = max(gap, following - at) if number else gap
        at = following
    return gap
