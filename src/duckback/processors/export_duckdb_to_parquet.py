"""export-duckdb-to-parquet: every table of one snapshot as zstd Parquet, proven by reading it again."""

from duckback.model.progress import Report
from duckback.routes.exchange import BackupExchange, required
from duckback.source.order import order_in
from duckback.source.resources import Limits


class ExportDuckdbToParquet:
    """Exports what the exchange's capture gives, in full."""

    name = "export-duckdb-to-parquet"

    def __init__(self, limits: Limits, report: Report) -> None:
        self._limits = limits
        self._report = report

    def process(self, exchange: BackupExchange) -> BackupExchange:
        order = order_in(
            required(exchange.staging).path,
            label=str(exchange.backup_id),
            limits=self._limits,
            selection=exchange.selection,
        )
        export = exchange.capture.export(order, self._report)
        exchange.capture.release()
        return exchange.exported(export, order.staging)
