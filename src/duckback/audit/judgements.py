"""What the age of backups, verifications and test restores means; pure."""

from datetime import datetime, timedelta
from uuid import UUID

from duckback.ledger.deliveries import Backlog
from duckback.model.checks import Checked, Status
from duckback.model.schedule import History, Task

_TOO_LONG_UNDELIVERED = timedelta(days=1)


def newest_backup(history: History, snapshot_at: datetime | None, rpo: timedelta, now: datetime) -> Checked:
    """CRITICAL: none, or older than the RPO; WARNING: new enough, but runs have failed since."""
    if snapshot_at is None:
        return Checked("newest backup", Status.CRITICAL, "there is none that can be read")
    age = max(now - snapshot_at, timedelta(0))
    measured = (("age", f"{age.total_seconds():.0f}s;;{rpo.total_seconds():.0f}"),)
    words = f"{shown(age)} old, and may be {shown(rpo)}"
    if age > rpo:
        return Checked("newest backup", Status.CRITICAL, words, measured)
    failed = [one for one in history.failures if one.task in {Task.FULL, Task.INCREMENTAL}]
    if failed:
        words += f"; backups that failed since: {len(failed)}, the last at {failed[-1].at:%Y-%m-%d %H:%M:%S} UTC"
        return Checked("newest backup", Status.WARNING, words, measured)
    return Checked("newest backup", Status.OK, words, measured)


def verification(
    history: History,
    oldest_unverified_at: datetime | None,
    bad: tuple[UUID, ...],
    interval: timedelta | None,
    now: datetime,
) -> Checked:
    """CRITICAL: a failure of a backup stands; WARNING: one waits for its verification for longer than planned."""
    if bad:
        found = ", ".join(map(str, bad))
        return Checked("verification", Status.CRITICAL, f"{found}: not as committed, and no run as deep has cleared it")
    last = f"the last was at {history.verified_at:%Y-%m-%d %H:%M:%S} UTC" if history.verified_at else "never done"
    if interval is None:
        return Checked("verification", Status.OK, f"not planned; {last}")
    if oldest_unverified_at is not None and now - oldest_unverified_at > interval:
        waits = shown(now - oldest_unverified_at)
        words = f"{last}; a backup waits for it since {waits}, and may wait {shown(interval)}"
        return Checked("verification", Status.WARNING, words)
    return Checked("verification", Status.OK, f"{last}; backups that are not verified yet: {history.unverified}")


def tested_restore(
    history: History,
    first_at: datetime | None,
    restored_in: timedelta | None,
    interval: timedelta | None,
    now: datetime,
) -> Checked:
    """WARNING: the last one, or the first backup where there was none, is longer ago than planned."""
    since = history.test_restored_at or first_at
    last = "never done"
    if history.test_restored_at is not None and restored_in is not None:
        last = f"the last was at {history.test_restored_at:%Y-%m-%d %H:%M:%S} UTC, and took {shown(restored_in)}"
    measured = (("rto", f"{restored_in.total_seconds():.1f}s"),) if restored_in is not None else ()
    if interval is None:
        return Checked("test restore", Status.OK, f"not planned; {last}", measured)
    if since is not None and now - since > interval:
        words = f"{last}; one is planned every {shown(interval)}"
        return Checked("test restore", Status.WARNING, words, measured)
    return Checked("test restore", Status.OK, last, measured)


def undelivered(backlog: Backlog, now: datetime) -> Checked:
    """CRITICAL: TigerBeetle refuses events, or does not get them for a day; WARNING: some wait for it."""
    measured = (("undelivered", str(backlog.waiting)), ("parked", str(backlog.parked)))
    if backlog.parked:
        words = f"TigerBeetle refuses {backlog.parked} events, and {backlog.waiting} wait; see `duckback ledger sync`"
        return Checked("ledger", Status.CRITICAL, words, measured)
    if backlog.waiting and backlog.oldest is not None:
        since = now - backlog.oldest
        status = Status.CRITICAL if since > _TOO_LONG_UNDELIVERED else Status.WARNING
        words = f"{backlog.waiting} events wait for TigerBeetle, the oldest since {shown(since)}"
        return Checked("ledger", status, words, measured)
    return Checked("ledger", Status.OK, "every event is where it belongs", measured)


def object_lock(wanted: timedelta | None, held: timedelta | None, reach: timedelta) -> Checked | None:
    """WARNING: backups are locked for less time than the policy keeps them; None where no lock is wanted or held.

    Args:
        wanted: by the configuration; None: no lock.
        held: how long the newest backup's objects are locked, as the store answered; None where it wrote none.
        reach: how long the policy keeps a backup.
    """
    if not wanted and not held:
        return None
    if wanted and held == timedelta(0):
        words = "the newest backup is not locked, though a lock is configured: take one, and look at the bucket's"
        return Checked("object lock", Status.WARNING, words)
    length = min(one for one in (wanted, held) if one)
    words = f"objects are locked for {shown(length)}, and backups are kept for {shown(reach)}"
    if length < reach:
        words += f": give --lock-for {reach.days + (reach > timedelta(reach.days))}d, or keep them for less time"
        return Checked("object lock", Status.WARNING, words)
    return Checked("object lock", Status.OK, words)


def shown(span: timedelta) -> str:
    """A length of time in its two largest units: `6h 30m`, `3d 2h`, `12s`."""
    seconds = int(span.total_seconds())
    sizes = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in sizes:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
