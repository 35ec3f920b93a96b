"""record-recovery-event: the ledger knows which backup came back, and when."""

from duckback.ledger.base import Ledger
from duckback.model.events import EventKind, event_of_backup
from duckback.routes.exchange import RestoreExchange, required


class RecordRecoveryEvent:
    """Records a restore that is in place."""

    name = "record-recovery-event"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        event = event_of_backup(
            exchange.manifest,
            required(exchange.committed).sha256,
            EventKind.RECOVERY,
            run_id=exchange.run_id,
            started_at=exchange.start_time,
            details={"target": str(exchange.target)} | ({"where": exchange.where} if exchange.where else {}),
        )
        self._ledger.record(event)
        return exchange
