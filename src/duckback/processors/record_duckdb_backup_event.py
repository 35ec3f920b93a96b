"""record-duckdb-backup-event: a committed backup enters the ledger under its own id, once, whoever records it."""

from dataclasses import replace
from uuid import UUID

from duckback.ledger.base import Ledger
from duckback.model.events import Event, EventKind, event_id, event_of_backup
from duckback.repository.repository import Committed, Repository
from duckback.routes.exchange import BackupExchange, required


class RecordDuckdbBackupEvent:
    """Records this backup, and those before it whose run was cut short between commit and record."""

    name = "record-duckdb-backup-event"

    def __init__(self, ledger: Ledger, repository: Repository) -> None:
        self._ledger = ledger
        self._repository = repository

    def process(self, exchange: BackupExchange) -> BackupExchange:
        for backup_id in self._pending(exchange):
            if self._repository.is_committed(exchange.database, backup_id):
                self._ledger.record(_completed(self._repository.read(exchange.database, backup_id)))
        self._ledger.record(_completed(required(exchange.committed)))
        return replace(exchange, status="completed", backup_event_id=exchange.backup_id)

    def _pending(self, exchange: BackupExchange) -> list[UUID]:
        started = self._ledger.entries(
            repository_id=self._repository.id, database=exchange.database, kind=EventKind.STARTED
        )
        ids = [UUID(entry.details["backup_id"]) for entry in started]
        return [one for one in ids if one != exchange.backup_id and not self._is_settled(one)]

    def _is_settled(self, backup_id: UUID) -> bool:
        outcomes = (EventKind.COMPLETED, EventKind.FAILED)
        return any(self._ledger.entry(event_id(kind, backup_id).int) is not None for kind in outcomes)


def _completed(committed: Committed) -> Event:
    return event_of_backup(committed.manifest, committed.sha256, EventKind.COMPLETED)
