"""Are the rows in a backup's objects those of its manifest? Read in child processes, each table once a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from duckback.errors import SourceDamaged
from duckback.model.catalog import Catalog
from duckback.model.damage import label_of
from duckback.model.manifest import Manifest, TableBackup
from duckback.model.progress import Report
from duckback.model.proof import Compared
from duckback.source.child import run_job
from duckback.source.engine import Resources
from duckback.source.jobs import ReadRows
from duckback.source.reading import RowsRead, TableRead

_Content = tuple[object, ...]


class RowChecks:
    """The checks of one run; a table that several backups have in common is read once.

    Args:
        resources: limits for DuckDB.
        report: hears how many rows are done.
    """

    def __init__(self, resources: Resources, report: Report) -> None:
        self._resources = resources
        self._report = report
        self._read: dict[_Content, tuple[TableRead, bool]] = {}

    def check(self, manifest: Manifest, files: Mapping[str, Path]) -> tuple[dict[str, str], Compared]:
        """What is wrong with the rows, by table, and what of them was compared.

        Args:
            manifest: narrowed to the tables whose objects are all there.
            files: each object's key → a local file with its bytes.

        Raises:
            SourceError: DuckDB lacks memory or disk.
        """
        contents = {label_of(table): _content(manifest, table) for table in manifest.tables}
        new = [table for table in manifest.tables if contents[label_of(table)] not in self._read]
        if new:
            for label, result in self._read_tables(manifest, new, files).items():
                self._read[contents[label]] = result
        results = {label_of(table): (table, *self._read[contents[label_of(table)]]) for table in manifest.tables}
        found = {label: _problem(*result) for label, result in results.items()}
        alike = all(is_alike for _, _, is_alike in results.values())
        return {label: what for label, what in found.items() if what}, "fingerprints" if alike else "counts"

    def _read_tables(
        self, manifest: Manifest, tables: Sequence[TableBackup], files: Mapping[str, Path]
    ) -> dict[str, tuple[TableRead, bool]]:
        labels = {label_of(table) for table in tables}
        part = narrowed(manifest, labels)
        job = ReadRows(
            manifest=part, files={ref.key: files[ref.key] for ref in part.objects}, resources=self._resources
        )
        try:
            read = RowsRead.model_validate_json(run_job(job, self._report))
        except SourceDamaged as error:
            if len(tables) == 1:
                (label,) = labels
                return {label: (TableRead(problem=f"reading its objects ends DuckDB: {error.message}"), True)}
            # One of them did it: each gets a process of its own, to tell which.
            apart = [self._read_tables(manifest, [table], files) for table in tables]
            return {label: result for one in apart for label, result in one.items()}
        return {label: (table, read.hashes_alike) for label, table in read.tables.items()}


def narrowed(manifest: Manifest, labels: set[str]) -> Manifest:
    """The manifest of these tables alone."""
    tables = tuple(table for table in manifest.catalog.tables if table.label in labels)
    return manifest.with_catalog(Catalog(name=manifest.catalog.name, tables=tables))


def _content(manifest: Manifest, table: TableBackup) -> _Content:
    key = (table.schema_name, table.name)
    definition = next(one for one in manifest.catalog.tables if (one.schema_name, one.name) == key)
    columns = tuple((column.name, column.type) for column in definition.stored_columns)
    native = table.native.sha256 if table.native else None
    objects, removed = (
        [(ref.sha256, ref.position_name, ref.rows) for ref in refs] for refs in (table.objects, table.removed)
    )
    return (
        *columns,
        tuple(objects),
        tuple(removed),
        native,
        manifest.engine.duckdb_version,
        manifest.engine.hash_probe,
    )


def _problem(table: TableBackup, read: TableRead, is_alike: bool) -> str | None:
    if read.fingerprint is None:
        return read.problem
    if read.fingerprint.rows != table.rows:
        return f"its objects hold {read.fingerprint.rows} rows that count instead of {table.rows}"
    if is_alike and read.fingerprint != table.fingerprint:
        return "the rows in its objects are not those that were backed up"
    return None
