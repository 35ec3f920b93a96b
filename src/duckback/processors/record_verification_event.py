"""record-verification-event: the ledger knows what was verified, and how it went."""

from duckback.ledger.base import Ledger
from duckback.model.events import Event, EventKind
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
            manifest = result.committed.manifest
            self._ledger.record(
                Event(
                    kind=EventKind.VERIFICATION,
                    backup_id=manifest.backup_id,
                    run_id=exchange.run_id,
                    repository_id=manifest.repository_id,
                    database=manifest.database,
                    scope=manifest.scope,
                    started_at=exchange.start_time,
                    retention_days=(manifest.retention_until - manifest.started_at).days,
                    manifest_sha256=result.committed.sha256,
                    details={
                        "backup_id": str(manifest.backup_id),
                        "level": "objects",
                        "result": "good" if result.is_good else "bad",
                    },
                )
            )
        return exchange
