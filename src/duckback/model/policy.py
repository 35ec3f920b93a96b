"""What is kept and what goes: pure decisions that are told what time it is, and say why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from duckback.errors import UsageError
from duckback.model.durations import format_duration
from duckback.model.ids import time_of
from duckback.model.summary import Summary

_PERIODS: Final = {
    "hourly": "%Y-%m-%d %H h %z",
    "daily": "%Y-%m-%d",
    "weekly": "%G week %V",
    "monthly": "%Y-%m",
    "yearly": "%Y",
}
_LENGTHS: Final = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=31),
    "yearly": timedelta(days=366),
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Retention: a backup stays that any of these keeps.

    Attributes:
        within: what was started less than this ago.
        last: the newest so many.
        per_period: by "hourly", "daily", "weekly" (ISO 8601), "monthly" or "yearly": the newest backup of each of the
            newest so many periods that have one.
        grace: nothing younger than this goes, whatever else is said.
        zone: in which hours, days, weeks, months and years begin.
    """

    within: timedelta
    last: int = 0
    per_period: Mapping[str, int]
    grace: timedelta
    zone: tzinfo

    @property
    def reach(self) -> timedelta:
        """How old the backups are that it keeps by their age or by periods without a gap."""
        return max(self.within, *(count * _LENGTHS[name] for name, count in self.per_period.items()))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A backup that retention looks at.

    Attributes:
        summary: of its manifest.
        written_at: of its manifest, by the store's clock.
        pin: the reason that it is pinned for, None if it is not.
    """

    summary: Summary
    written_at: datetime
    pin: str | None = None


@dataclass(frozen=True)
class Decision:
    """Whether a backup stays, and every reason for that."""

    summary: Summary
    is_kept: bool
    reasons: tuple[str, ...]


def decide(candidates: Iterable[Candidate], policy: Policy, now: datetime) -> list[Decision]:
    """What retention does with each backup of one database, ordered by the moment it shows, then by id.

    Args:
        candidates: all that are committed.
        policy: of the database.
        now: aware.

    Raises:
        UsageError: the policy itself keeps none of them, which is a mistake and no policy.
    """
    ordered = sorted(candidates, key=lambda one: (one.summary.snapshot_at, one.summary.backup_id))
    chosen = _chosen(ordered, policy, now)
    if ordered and not any(chosen.values()):
        newest = ordered[-1].summary
        raise UsageError(
            f"this policy would remove every backup of {newest.database!r}, whose newest shows {newest.snapshot_at:%F}",
            hint="Take a backup first, or keep more: --keep-last 3, for example.",
        )
    spared = _spared(ordered, policy, now)
    reasons = {one: (*chosen[one], *spared[one]) for one in chosen}
    old = (f"older than {format_duration(policy.within)}, and no rule keeps it",)
    ids = [one.summary.backup_id for one in ordered]
    return [
        Decision(one.summary, bool(reasons[backup_id]), reasons[backup_id] or old)
        for one, backup_id in zip(ordered, ids, strict=True)
    ]


def _chosen(ordered: Sequence[Candidate], policy: Policy, now: datetime) -> dict[UUID, list[str]]:
    """By backup, the rules of the policy that keep it."""
    found: dict[UUID, list[str]] = {one.summary.backup_id: [] for one in ordered}
    for one in ordered:
        if one.summary.started_at > now - policy.within:
            found[one.summary.backup_id].append(f"younger than {format_duration(policy.within)}")
    for one in ordered[-policy.last :] if policy.last else ():
        found[one.summary.backup_id].append(f"one of the last {policy.last}")
    for name, count in policy.per_period.items():
        newest = {_period(one, name, policy.zone): one.summary.backup_id for one in ordered}
        for period in list(newest)[-count:] if count else ():
            found[newest[period]].append(f"{name}: the newest of {period}")
    return found


def _period(one: Candidate, name: str, zone: tzinfo) -> str:
    return one.summary.started_at.astimezone(zone).strftime(_PERIODS[name])


def _spared(ordered: Sequence[Candidate], policy: Policy, now: datetime) -> dict[UUID, list[str]]:
    """By backup, what keeps it whatever the policy says."""
    last_full = next((one for one in reversed(ordered) if one.summary.scope == "full"), None)
    return {
        one.summary.backup_id: [
            reason
            for holds, reason in (
                (one is ordered[-1], "the newest backup"),
                (one is last_full, "the last full backup"),
                (one.pin is not None, f"pinned: {one.pin}"),
                (_is_young(one, policy.grace, now), f"within the grace period of {format_duration(policy.grace)}"),
                (_is_locked(one, now), f"locked in the store until {one.summary.locked_until}"),
            )
            if holds
        ]
        for one in ordered
    }


def _is_young(one: Candidate, grace: timedelta, now: datetime) -> bool:
    # Of two clocks the later one counts: whichever is wrong, nothing goes too early.
    return max(one.summary.started_at, one.written_at) > now - grace


def _is_locked(one: Candidate, now: datetime) -> bool:
    return one.summary.locked_until is not None and one.summary.locked_until > now


def freed(decisions: Iterable[Decision]) -> dict[UUID, int]:
    """By backup that goes, the bytes that go with it: of objects that no kept backup refers to.

    What several refer to goes with the first of them by id, as a plan decides it.
    """
    decided = list(decisions)
    taken = {key for one in decided if one.is_kept for key, _ in one.summary.objects}
    found: dict[UUID, int] = {}
    for one in sorted(decided, key=lambda one: one.summary.backup_id):
        if not one.is_kept:
            going = {key: size for key, size in one.summary.objects if key not in taken}
            taken |= going.keys()
            found[one.summary.backup_id] = sum(going.values())
    return found


def past_their_time(backup_ids: Iterable[UUID], *, keep: timedelta, now: datetime) -> list[UUID]:
    """The local copies to remove: those of backups that were made more than `keep` before `now` (aware)."""
    return [backup_id for backup_id in backup_ids if time_of(backup_id) < now - keep]
