"""export-duckdb-to-parquet: every table of one snapshot as zstd Parquet, proven by reading it again."""

from dataclasses import replace
from pathlib import Path

from duckback.model.progress import Report
from duckback.routes.exchange import BackupExchange, required
from duckback.source.engine import Resources
from duckback.source.export import ExportOrder


class ExportDuckdbToParquet:
    """Exports what the exchange's capture gives, in full."""

    name = "export-duckdb-to-parquet"

    def __init__(self, memory_limit: str, threads: int, report: Report) -> None:
        self._memory_limit = memory_limit
        self._threads = threads
        self._report = report

    def process(self, exchange: BackupExchange) -> BackupExchange:
        staging = required(exchange.staging).path
        folder = Path(staging, "parquet")
        folder.mkdir()
        order = ExportOrder(
            staging=folder,
            label=str(exchange.backup_id),
            resources=Resources(self._memory_limit, self._threads, Path(staging, "spill")),
            selection=exchange.selection,
        )
        export = exchange.capture.export(order, self._report)
        exchange.capture.release()
        left_out = tuple(f"left out of the backup: {what}" for what in export.left_out)
        notices = (*exchange.notices, *export.notices, *left_out)
        return replace(exchange, status="exported", backup_path=folder, export=export, notices=notices)
