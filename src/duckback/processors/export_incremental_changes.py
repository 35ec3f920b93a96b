"""export-incremental-changes: the rows that the parent does not have, and the positions of those that are gone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from duckback.model.export import Base, BaseTable
from duckback.model.manifest import Manifest
from duckback.model.progress import Progress, Report
from duckback.model.selection import Selection
from duckback.repository.deletion import Deletion
from duckback.repository.objects import ObjectFiles
from duckback.repository.probe import problems_with
from duckback.repository.repository import Repository
from duckback.routes.exchange import BackupExchange, required
from duckback.source.order import order_in
from duckback.source.resources import Limits


class ExportIncrementalChanges:
    """Exports the difference to the exchange's parent, after every object of that was asked for.

    Args:
        repository: the parent's.
        files: gets its objects.
        deletion: knows which of them are going.
        limits: for DuckDB.
        rewrite_share: changes that a table may have gathered, as a share of its rows, before it is written whole.
        report: hears how many rows are done.
    """

    name = "export-incremental-changes"

    def __init__(
        self,
        repository: Repository,
        files: ObjectFiles,
        deletion: Deletion,
        *,
        limits: Limits,
        rewrite_share: float,
        report: Report,
    ) -> None:
        self._repository = repository
        self._files = files
        self._deletion = deletion
        self._limits = limits
        self._rewrite_share = rewrite_share
        self._report = report

    def process(self, exchange: BackupExchange) -> BackupExchange:
        parent = required(exchange.parent).manifest
        staging = required(exchange.staging).path
        order = order_in(
            staging,
            label=str(exchange.backup_id),
            limits=self._limits,
            selection=exchange.selection,
            base=self._base(parent, exchange.selection),
        )
        refs = {ref.key: ref for ref in parent.objects}

        def fetch(keys: Sequence[str]) -> Mapping[str, Path]:
            return self._files.get([refs[key] for key in keys], staging / "objects", lambda _: None)

        export = exchange.capture.export(order, self._report, fetch)
        exchange.capture.release()
        return exchange.exported(export, order.staging)

    def _base(self, parent: Manifest, selection: Selection) -> Base:
        doubts = self._doubts(parent)
        definitions = {(table.schema_name, table.name): table for table in parent.catalog.tables}
        is_comparable = not doubts and parent.selection == selection
        return Base(
            backup_id=parent.backup_id,
            engine=parent.engine,
            catalog=parent.catalog,
            left_out=parent.excluded,
            tables=tuple(
                BaseTable(backup=table, columns=definitions[name].stored_columns, doubt=doubts.get(name))
                for table in parent.tables
                for name in [(table.schema_name, table.name)]
            ),
            file=parent.file if is_comparable else None,
            rewrite_share=self._rewrite_share,
        )

    def _doubts(self, parent: Manifest) -> dict[tuple[str, str], str]:
        """By table, why what the parent has of it cannot be relied on."""
        self._report(Progress(self.name))
        problems = problems_with(self._repository.store, parent.objects)
        going = self._deletion.at_risk()
        found: dict[tuple[str, str], str] = {}
        for table in parent.tables:
            for ref in table.refs:
                if ref.key in problems:
                    found[table.schema_name, table.name] = f"{ref.key} of the parent: {problems[ref.key]}"
                elif ref.key in going:
                    found[table.schema_name, table.name] = f"{ref.key} of the parent is being pruned"
        return found
