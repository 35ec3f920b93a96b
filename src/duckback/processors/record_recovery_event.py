"""record-recovery-event: the ledger knows which backup came back, and when."""

from duckback.ledger.base import Ledger
from duckback.model.events import Event, EventKind
from duckback.routes.exchange import RestoreExchange, required


class RecordRecoveryEvent:
    """Records a restore that is in place."""

    name = "record-recovery-event"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        manifest = exchange.manifest
        self._ledger.record(
            Event(
                kind=EventKind.RECOVERY,
                backup_id=manifest.backup_id,
                run_id=exchange.run_id,
                repository_id=manifest.repository_id,
                database=manifest.database,
                scope=manifest.scope,
                started_at=exchange.start_time,
                retention_days=(manifest.retention_until - manifest.started_at).days,
                manifest_sha256=required(exchange.committed).sha256,
                details={"backup_id": str(manifest.backup_id), "target": str(exchange.target)},
            )
        )
        return exchange
