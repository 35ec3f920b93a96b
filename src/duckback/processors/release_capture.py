"""release-capture: lets go of the database, whatever happened."""

from duckback.routes.exchange import BackupExchange


class ReleaseCapture:
    """Releases the exchange's capture."""

    name = "release-capture"

    def process(self, exchange: BackupExchange) -> BackupExchange:
        exchange.capture.release()
        return exchange
