"""export-incremental-changes: the rows that the parent does not have, and the positions of those that are gone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from duckback.model.catalog import Table
from duckback.model.export import Base, BaseTable, Export
from duckback.model.manifest import FileIdentity, Manifest, TableBackup
from duckback.model.progress import Progress, Report
from duckback.repository.objects import ObjectFiles
from duckback.repository.probe import problems_with
from duckback.repository.repository import Repository
from duckback.routes.exchange import BackupExchange, required
from duckback.source.incremental import unchanged
from duckback.source.order import order_in


class ExportIncrementalChanges:
    """Exports the difference to the exchange's parent, after every object of that was asked for.

    Args:
        repository: the parent's.
        files: gets its objects.
        memory_limit: for DuckDB.
        threads: likewise.
        rewrite_share: changes that a table may have gathered, as a share of its rows, before it is written whole.
        report: hears how many rows are done.
    """

    name = "export-incremental-changes"

    def __init__(
        self,
        repository: Repository,
        files: ObjectFiles,
        *,
        memory_limit: str,
        threads: int,
        rewrite_share: float,
        report: Report,
    ) -> None:
        self._repository = repository
        self._files = files
        self._memory_limit = memory_limit
        self._threads = threads
        self._rewrite_share = rewrite_share
        self._report = report

    def process(self, exchange: BackupExchange) -> BackupExchange:
        parent = required(exchange.parent).manifest
        doubts = self._doubts(parent)
        same = self._same_file(exchange, parent) if not doubts else None
        if same is not None:
            exchange.capture.release()
            notice = f"nothing was written to the database since backup {parent.backup_id}: it was not read"
            return exchange.exported(_unchanged(parent, same), required(exchange.staging).path, notice)
        base = Base(
            backup_id=parent.backup_id,
            engine=parent.engine,
            tables=tuple(_base_tables(parent, doubts)),
            rewrite_share=self._rewrite_share,
        )
        staging = required(exchange.staging).path
        order = order_in(
            staging,
            label=str(exchange.backup_id),
            memory_limit=self._memory_limit,
            threads=self._threads,
            selection=exchange.selection,
            base=base,
        )
        refs = {ref.key: ref for ref in parent.objects}

        def fetch(keys: Sequence[str]) -> Mapping[str, Path]:
            return self._files.get([refs[key] for key in keys], staging / "objects", lambda _: None)

        export = exchange.capture.export(order, self._report, fetch)
        exchange.capture.release()
        return exchange.exported(export, order.staging)

    def _doubts(self, parent: Manifest) -> dict[tuple[str, str], str]:
        """By table, why what the parent has of it cannot be relied on."""
        self._report(Progress(self.name))
        problems = problems_with(self._repository.store, parent.objects)
        pruned = self._repository.tombstoned(parent.database)
        found: dict[tuple[str, str], str] = {}
        for table in parent.tables:
            for ref in table.refs:
                if ref.key in problems:
                    found[table.schema_name, table.name] = f"{ref.key} of the parent: {problems[ref.key]}"
                elif ref.backup_id in pruned:
                    found[table.schema_name, table.name] = f"backup {ref.backup_id}, which has some of it, is pruned"
        return found

    def _same_file(self, exchange: BackupExchange, parent: Manifest) -> FileIdentity | None:
        if parent.file is None or parent.selection != exchange.selection:
            return None
        return exchange.capture.unchanged_since(parent.file)


def _base_tables(parent: Manifest, doubts: Mapping[tuple[str, str], str]) -> list[BaseTable]:
    definitions = {(table.schema_name, table.name): table for table in parent.catalog.tables}
    return [_base_table(table, definitions[table.schema_name, table.name], doubts) for table in parent.tables]


def _base_table(table: TableBackup, definition: Table, doubts: Mapping[tuple[str, str], str]) -> BaseTable:
    doubt = doubts.get((table.schema_name, table.name))
    return BaseTable(backup=table, columns=definition.stored_columns, doubt=doubt)


def _unchanged(parent: Manifest, file: FileIdentity) -> Export:
    return Export(
        snapshot_at=file.seen_at,
        engine=parent.engine,
        file=file,
        catalog=parent.catalog,
        tables=tuple(map(unchanged, _base_tables(parent, {}))),
        left_out=parent.excluded,
    )
