"""record-started-event: the ledger knows of every run before it touches the database."""

from uuid import UUID

from duckback.ledger.base import Ledger
from duckback.model.events import Event, EventKind
from duckback.routes.exchange import BackupExchange


class RecordStartedEvent:
    """Records that a backup has begun."""

    name = "record-started-event"

    def __init__(self, ledger: Ledger, repository_id: UUID) -> None:
        self._ledger = ledger
        self._repository_id = repository_id

    def process(self, exchange: BackupExchange) -> BackupExchange:
        self._ledger.record(
            Event(
                kind=EventKind.STARTED,
                backup_id=exchange.backup_id,
                repository_id=self._repository_id,
                database=exchange.database,
                scope=exchange.backup_scope,
                started_at=exchange.start_time,
                retention_days=exchange.retention.days,
                details={"backup_id": str(exchange.backup_id)},
            )
        )
        return exchange
