"""`backup_metadata`: one row a backup, from manifests and events, failed runs included."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from duckback.ledger.base import Entry
from duckback.ledger.codec import decode_user_data
from duckback.ledger.evidence import Held
from duckback.model.events import EventKind, Scope

Status = Literal["started", "failed", "completed", "pruned", "missing"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class BackupMetadata:
    """One backup, or one run that made none. Times are in UTC.

    Attributes:
        id: The backup's.
        backup_type: "duckdb".
        backup_scope: "full" or "incremental".
        tenant_id: None: a backup is of a database, and all its tenants.
        start_time: Of the run; to the second where only the ledger knows of it.
        end_time: When its outcome was recorded; where this host's ledger does not know that, when it was committed.
        status: started (and running, or killed), failed, completed; pruned, or missing: it was completed, and the
            repository does not hold it any more, with or without a tombstone.
        backup_size_bytes: Of the objects that it wrote.
        backup_location: Their addresses, joined by commas.
        checksum: The manifest's SHA-256.
        compression: "parquet-zstd".
        encryption: "s3-sse", "s3-sse-kms" or "none"; None where there is no manifest.
        retention_until: The start and the days that it is to be kept.
        created_at: When the event that says the status was recorded, None where this host's ledger does not know.
    """

    id: UUID
    backup_type: str = "duckdb"
    backup_scope: Scope
    tenant_id: UUID | None = None
    start_time: datetime
    end_time: datetime | None
    status: Status
    backup_size_bytes: int
    backup_location: str | None = None
    checksum: str | None = None
    compression: str = "parquet-zstd"
    encryption: str | None = None
    retention_until: datetime
    created_at: datetime | None


def backup_metadata(
    backups: Mapping[UUID, Held], entries: Iterable[Entry], tombstoned: Iterable[UUID], locate: Callable[[str], str]
) -> list[BackupMetadata]:
    """The rows, oldest first.

    Args:
        backups: What the repository holds.
        entries: Events of the same databases that this host's ledger holds.
        tombstoned: Backups that are being pruned or are gone.
        locate: The address of an object, from its key.
    """
    events: dict[UUID, dict[EventKind, Entry]] = {}
    for entry in entries:
        if "backup_id" in entry.details:
            events.setdefault(UUID(entry.details["backup_id"]), {})[entry.kind] = entry
    gone = set(tombstoned)
    rows = [_held(held, events.get(backup_id, {}), locate) for backup_id, held in backups.items()]
    rows += [_unheld(one, known, one in gone) for one, known in events.items() if one not in backups]
    return sorted(rows, key=lambda row: (row.start_time, row.id))


def last_backup_time(rows: Iterable[BackupMetadata]) -> datetime | None:
    """The start of the last incremental that is there, else of the last full; None before the first."""
    starts: dict[Scope, datetime] = {}
    for row in rows:
        if row.status == "completed":
            starts[row.backup_scope] = max(row.start_time, starts.get(row.backup_scope, row.start_time))
    return starts.get("incremental", starts.get("full"))


def _held(held: Held, known: Mapping[EventKind, Entry], locate: Callable[[str], str]) -> BackupMetadata:
    manifest, completed = held.manifest, known.get(EventKind.COMPLETED)
    written = [ref.key for ref in manifest.objects if ref.backup_id == manifest.backup_id]
    committed_at = manifest.started_at + timedelta(seconds=sum(manifest.seconds.values()))
    return BackupMetadata(
        id=manifest.backup_id,
        backup_type=manifest.backup_type,
        backup_scope=manifest.scope,
        start_time=manifest.started_at,
        end_time=completed.recorded_at if completed else committed_at,
        status="completed",
        backup_size_bytes=manifest.bytes_added,
        backup_location=",".join(map(locate, written)),
        checksum=held.sha256,
        compression=manifest.compression,
        encryption=manifest.encryption,
        retention_until=manifest.retention_until,
        created_at=completed.recorded_at if completed else None,
    )


def _unheld(backup_id: UUID, known: Mapping[EventKind, Entry], is_tombstoned: bool) -> BackupMetadata:
    status, entry = _outcome(known, is_tombstoned)
    first = known.get(EventKind.STARTED, entry)
    data = decode_user_data(first.transfer.user_data_128, first.transfer.user_data_32)
    start = _EPOCH + timedelta(seconds=first.transfer.user_data_64)
    completed = known.get(EventKind.COMPLETED)
    ended = completed or known.get(EventKind.FAILED)
    return BackupMetadata(
        id=backup_id,
        backup_scope=data.scope,
        start_time=start,
        end_time=ended.recorded_at if ended else None,
        status=status,
        backup_size_bytes=completed.transfer.amount if completed else 0,
        retention_until=start + timedelta(days=data.retention_days),
        created_at=entry.recorded_at,
    )


def _outcome(known: Mapping[EventKind, Entry], is_tombstoned: bool) -> tuple[Status, Entry]:
    newest = list(known.values())[-1]
    if EventKind.PRUNED in known:
        return "pruned", known[EventKind.PRUNED]
    if is_tombstoned:
        return "pruned", known.get(EventKind.COMPLETED, newest)
    if EventKind.COMPLETED in known:
        return "missing", known[EventKind.COMPLETED]
    if EventKind.FAILED in known:
        return "failed", known[EventKind.FAILED]
    return ("started", known[EventKind.STARTED]) if EventKind.STARTED in known else ("missing", newest)
