"""cleanup-old-duckdb-backups: what retention drops goes, from the store and from this host's local copies."""

from dataclasses import replace

from duckback.errors import DuckbackError, StoreError
from duckback.repository.cleanup import Cleaned, Cleanup
from duckback.routes.exchange import BackupExchange, CleanupExchange


class CleanupOldDuckdbBackups:
    """After a backup, what fails here is told in a notice: that backup is committed and recorded, and stays good."""

    name = "cleanup-old-duckdb-backups"

    def __init__(self, cleanup: Cleanup) -> None:
        self._cleanup = cleanup

    def process(self, exchange: BackupExchange | CleanupExchange) -> BackupExchange | CleanupExchange:
        if isinstance(exchange, CleanupExchange):
            return replace(exchange, cleaned=self._run_alone())
        try:
            cleaned = self._cleanup.run()
        except (OSError, DuckbackError) as error:
            notice = f"the backup is complete, but its clean-up failed: {error}"
            return replace(exchange, notices=(*exchange.notices, notice))
        return replace(exchange, cleaned=cleaned, notices=(*exchange.notices, *_notices(cleaned)))

    def _run_alone(self) -> Cleaned:
        try:
            return self._cleanup.run()
        except OSError as error:
            raise StoreError(f"cannot clean up: {error}") from error


def _notices(cleaned: Cleaned) -> tuple[str, ...]:
    return tuple(f"not deleted, and tried again next time: {one.key}: {one.reason}" for one in cleaned.refused)
