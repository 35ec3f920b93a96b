"""record-verification-event: the ledger knows what was verified, and how it went."""

from duckback.ledger.base import Ledger
from duckback.model.events import EventKind, event_of_backup
from duckback.routes.exchange import VerificationExchange


class RecordVerificationEvent:
    """Records one event a backup whose manifest can be read; of another it is not known what it was."""

    name = "record-verification-event"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def process(self, exchange: VerificationExchange) -> VerificationExchange:
        for result in exchange.results:
            if result.committed is None:
                continue
            event = event_of_backup(
                result.committed.manifest,
                result.committed.sha256,
                EventKind.VERIFICATION,
                run_id=exchange.run_id,
                started_at=exchange.start_time,
                details={"level": "objects", "result": "good" if result.is_good else "bad"},
            )
            self._ledger.record(event)
        return exchange
