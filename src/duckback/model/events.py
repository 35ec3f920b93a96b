"""What happens to backups, as events, and the ids under which a ledger keeps them.

Ids and accounts are derived (UUID version 5, RFC 9562) from the repository, the backup and the run, so that
whoever retries an event names it the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, get_args
from uuid import UUID, uuid5

from duckback.model.manifest import Manifest
from duckback.model.tombstone import Done, Tombstone

Scope = Literal["full", "incremental"]

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class EventKind(StrEnum):
    """What happened; the value is part of the event's id and must never change."""

    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    RECOVERY = "recovery"
    VERIFICATION = "verification"
    PRUNED = "pruned"


MOVES_BYTES = frozenset({EventKind.COMPLETED, EventKind.PRUNED})
PER_RUN = frozenset({EventKind.RECOVERY, EventKind.VERIFICATION})


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to one backup.

    Attributes:
        kind: What happened.
        backup_id: The backup that it happened to.
        run_id: The restore or verification run; given for recovery and verification, and only for them.
        repository_id: The repository that holds the backup.
        database: The database's real name in that repository.
        scope: The backup's scope.
        amount: Bytes: completed, of the objects that the backup wrote; pruned, that went; otherwise 0.
        started_at: Start of the backup or run, aware, in UTC.
        retention_days: Days that the backup is to be kept.
        manifest_sha256: SHA-256 of the manifest, 64 lower-case hex digits; None where there is no manifest.
        details: What else is worth keeping, such as `error_message`; kept beside the transfer.

    Raises:
        ValueError: A field contradicts the above, or a text cannot be written as UTF-8.
    """

    kind: EventKind
    backup_id: UUID
    run_id: UUID | None = None
    repository_id: UUID
    database: str
    scope: Scope
    amount: int = 0
    started_at: datetime
    retention_days: int
    manifest_sha256: str | None = None
    details: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _require_run(self.kind, self.run_id)
        _require_text(self.database, self.details)
        if self.scope not in get_args(Scope):
            raise ValueError(f"unknown scope {self.scope!r}")
        if self.amount < 0 or (self.amount and self.kind not in MOVES_BYTES):
            raise ValueError(f"amount {self.amount} in a {self.kind} event")
        if self.started_at.utcoffset() != timedelta(0):
            raise ValueError(f"the start {self.started_at} is not in UTC")
        if self.manifest_sha256 is not None and not _SHA256_HEX.fullmatch(self.manifest_sha256):
            raise ValueError(f"{self.manifest_sha256!r} is not a SHA-256 of 64 lower-case hex digits")


def event_of_backup(
    manifest: Manifest,
    manifest_sha256: str,
    kind: EventKind,
    *,
    run_id: UUID | None = None,
    started_at: datetime | None = None,
    details: Mapping[str, str] | None = None,
) -> Event:
    """An event of a committed backup, from its manifest alone, so that whoever records it records the same.

    Args:
        manifest: The backup's.
        manifest_sha256: Of the manifest's bytes, 64 lower-case hex digits.
        kind: What happened; a completed event carries the bytes that the backup wrote.
        run_id: As of `Event`.
        started_at: Of the restore or verification run; default: the backup's start.
        details: As of `Event`; the backup's id is added.
    """
    return Event(
        kind=kind,
        backup_id=manifest.backup_id,
        run_id=run_id,
        repository_id=manifest.repository_id,
        database=manifest.database,
        scope=manifest.scope,
        amount=manifest.bytes_added if kind is EventKind.COMPLETED else 0,
        started_at=started_at or manifest.started_at,
        retention_days=(manifest.retention_until - manifest.started_at).days,
        manifest_sha256=manifest_sha256,
        details={**(details or {}), "backup_id": str(manifest.backup_id)},
    )


def event_of_tombstone(tombstone: Tombstone, done: Done, repository_id: UUID, database: str) -> Event:
    """The pruned event of a backup that is gone, from what stands in the repository alone.

    Args:
        tombstone: The backup's.
        done: Its end; the event carries its bytes.
        repository_id: Of the repository.
        database: The database's real name.
    """
    return Event(
        kind=EventKind.PRUNED,
        backup_id=tombstone.backup_id,
        repository_id=repository_id,
        database=database,
        scope=tombstone.scope,
        amount=done.bytes,
        started_at=tombstone.started_at,
        retention_days=tombstone.retention_days,
        manifest_sha256=tombstone.manifest_sha256,
        details={"backup_id": str(tombstone.backup_id), "reason": tombstone.reason},
    )


def _require_run(kind: EventKind, run_id: UUID | None) -> None:
    if (run_id is not None) != (kind in PER_RUN):
        raise ValueError(f"a {kind} event {'needs a' if kind in PER_RUN else 'has no'} run id")


def _require_text(database: str, details: Mapping[str, str]) -> None:
    if not database:
        raise ValueError("the database has no name")
    for text in (database, *details.keys(), *details.values()):
        text.encode()  # a lone surrogate, from a file name that is not UTF-8, has no bytes to derive an id from


def event_id(kind: EventKind, backup_id: UUID, run_id: UUID | None = None) -> UUID:
    """The id of an event: one for each kind and backup, and for each run of a recovery or verification.

    completed: the backup id itself; started, failed, pruned: uuid5(backup id, kind); recovery, verification:
    uuid5(backup id, kind + run id), the run id as 36 characters, with nothing between.

    Raises:
        ValueError: A recovery or verification without a run id, or another kind with one.
    """
    _require_run(kind, run_id)
    if kind is EventKind.COMPLETED:
        return backup_id
    return uuid5(backup_id, f"{kind}{run_id or ''}")


def database_account_id(repository_id: UUID, database: str) -> UUID:
    """The account of one database of a repository: uuid5(repository id, "database:" + name)."""
    return uuid5(repository_id, f"database:{database}")


def repository_account_id(repository_id: UUID) -> UUID:
    """The account of a repository: uuid5(repository id, "repository")."""
    return uuid5(repository_id, "repository")
