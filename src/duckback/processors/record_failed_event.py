"""record-failed-event: a run that failed is on record with its message; a committed backup is never called failed."""

from duckback.errors import OutcomeUnknown, StoreError
from duckback.ledger.base import Ledger
from duckback.model.events import Event, EventKind
from duckback.repository.repository import Repository
from duckback.routes.exchange import BackupExchange


class RecordFailedEvent:
    """Records the failure, unless the backup is in the repository all the same."""

    name = "record-failed-event"

    def __init__(self, ledger: Ledger, repository: Repository) -> None:
        self._ledger = ledger
        self._repository = repository

    def process(self, exchange: BackupExchange) -> BackupExchange:
        if exchange.status != "failed" or self._may_be_committed(exchange):
            return exchange
        self._ledger.record(
            Event(
                kind=EventKind.FAILED,
                backup_id=exchange.backup_id,
                repository_id=self._repository.id,
                database=exchange.database,
                scope=exchange.backup_scope,
                started_at=exchange.start_time,
                retention_days=exchange.retention.days,
                details={"backup_id": str(exchange.backup_id), "error_message": exchange.error_message or ""},
            )
        )
        return exchange

    def _may_be_committed(self, exchange: BackupExchange) -> bool:
        # Left pending where that is not known: the next run's record-duckdb-backup-event settles it.
        if isinstance(exchange.error, OutcomeUnknown):
            return True
        try:
            return self._repository.is_committed(exchange.database, exchange.backup_id)
        except StoreError:
            return exchange.committed is not None
