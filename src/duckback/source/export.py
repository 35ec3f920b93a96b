"""The export: every table of one snapshot as Parquet, with fingerprints taken from that same snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict

from duckback.errors import SourceDamaged
from duckback.model.catalog import Deferred, Table
from duckback.model.column_types import Storage, is_stored, storages
from duckback.model.export import Export, ExportedFile, ExportedTable
from duckback.model.manifest import Engine, Fingerprint, Run, Segment
from duckback.model.progress import Progress, Report
from duckback.model.selection import EVERYTHING, Selection
from duckback.source.catalog import read_inventory
from duckback.source.encoding import stored
from duckback.source.engine import Resources, hash_probe, scalar, translated
from duckback.source.fingerprint import CHUNK_ROWS, measured_groups, total
from duckback.source.native import NativeCopy
from duckback.source.progress import followed
from duckback.source.rehearsal import rehearse
from duckback.source.sql import identifier, literal, qualified
from duckback.source.types import parse_type
from duckback.source.width import row_group_rows, width

CHUNKS_PER_FILE = 16
"""A file holds at most 2 million rows, so that a large table is hashed, sent and fetched in parallel."""

_STEP = "export-duckdb-to-parquet"
# Bloom filters cost 3 % of the CPU time, and serve none of the reads that a backup is for.
_COPY_OPTIONS = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, WRITE_BLOOM_FILTER false"
_SHADOWING = {"rowid", "file_row_number"}


@dataclass(frozen=True)
class _Part:
    """Chunks (number and fingerprint) that go into one file."""

    number: int
    chunks: list[tuple[int, Fingerprint]]

    @property
    def rows(self) -> int:
        return sum(fingerprint.rows for _, fingerprint in self.chunks)


class ExportOrder(BaseModel):
    """What to write, and where to.

    Attributes:
        staging: an empty directory for the files.
        label: written into each file's key-value metadata, with the table's name.
        resources: for DuckDB in a child process, and for the rehearsal of the schema.
        selection: what of the database.
    """

    model_config = ConfigDict(frozen=True)

    staging: Path
    label: str
    resources: Resources
    selection: Selection = EVERYTHING


def export_snapshot(
    con: duckdb.DuckDBPyConnection, order: ExportOrder, report: Report, *, subject: Path | None = None
) -> Export:
    """Write the tables of the connection's current database to Parquet files, all from one snapshot.

    Args:
        con: a connection outside a transaction, used for nothing else meanwhile.
        order: what to write, and where to.
        report: hears how many rows are done.
        subject: what errors call the database; default: its name in the connection.

    Raises:
        Unsupported: something that a backup would change; named.
        UsageError: the order selects what is not there.
        SourceDamaged: DuckDB cannot make sense of what it reads.
        SourceError: the database cannot be read, or the files cannot be written.
    """
    database = str(scalar(con, "SELECT current_database()"))
    native: list[NativeCopy] = []
    with _snapshot(con, native), translated(str(subject or database), otherwise=SourceDamaged):
        snapshot_at = datetime.now(UTC)
        engine = _engine(con, database)
        inventory = read_inventory(con, database, order.selection)
        catalog = inventory.catalog
        deferred = rehearse(catalog, order.resources)
        expected = int(str(scalar(con, _EXPECTED_ROWS.format(database=literal(database)))))
        tables: list[ExportedTable] = []
        rows_done = 0
        for number, table in enumerate(catalog.tables):
            exporter = _TableExporter(con, database, table, order, f"{number:04d}")
            exported = exporter.run(_rows_from(report, rows_done, expected))
            rows_done += exported.fingerprint.rows
            tables.append(exported)
            native += [exporter.native] if exporter.native else []
    for copy in native:
        with translated(str(subject or database)):
            copy.write(con)
    return Export(
        snapshot_at=snapshot_at,
        engine=engine,
        file=None,
        catalog=catalog,
        tables=tuple(tables),
        left_out=inventory.left_out,
        notices=tuple(map(_notice, deferred)),
    )


def _notice(deferred: Deferred) -> str:
    why = "it reads files or the network" if deferred.is_external else deferred.reason
    return (
        f"{deferred.kind} {deferred.label} could not be created on an empty database ({why}):"
        " its text is in the backup, and a restore that fails too writes it beside the restored file"
    )


_EXPECTED_ROWS = "SELECT coalesce(sum(estimated_size), 0)::BIGINT FROM duckdb_tables() WHERE database_name = {database}"


@contextmanager
def _snapshot(con: duckdb.DuckDBPyConnection, native: list[NativeCopy]) -> Iterator[None]:
    # BEGIN alone takes no snapshot: the first look at the database does, and all that follow see the same.
    con.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        con.execute("ROLLBACK")
        raise
    # What waits in temporary tables would be lost with a rollback.
    con.execute("COMMIT" if native else "ROLLBACK")


def _engine(con: duckdb.DuckDBPyConnection, database: str) -> Engine:
    query = "SELECT tags FROM duckdb_databases() WHERE database_name = ?"
    (tags,) = con.execute(query, [database]).fetchall()[0]
    return Engine(
        duckdb_version=str(scalar(con, "SELECT version()")).removeprefix("v"),
        storage_version=str(tags.get("storage_version", "")).removesuffix("+"),
        hash_probe=hash_probe(con),
    )


def _rows_from(report: Report, before: int, expected: int) -> Report:
    def shifted(progress: Progress) -> None:
        done = before + progress.rows_done
        report(Progress(_STEP, rows_done=done, rows_total=max(expected, done)))

    return shifted


class _TableExporter:
    """Exports one table; `stem` makes its file names unique in the staging directory."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, database: str, table: Table, order: ExportOrder, stem: str
    ) -> None:
        self._con = con
        self._table = table
        self._relation = qualified(database, *table.path)
        self._order = order
        self._stem = stem
        self._types = {column.name: parse_type(column.type) for column in table.stored_columns}
        is_native = any(is_stored(of, Storage.NATIVE) for of in self._types.values())
        self.native = NativeCopy(order.staging / f"{stem}.native.duckdb", table.stored_columns) if is_native else None
        # A column of that name hides the pseudo-column, so such a table is one chunk in one file.
        self._positional = _SHADOWING.isdisjoint(column.name.lower() for column in table.columns)

    def run(self, report: Report) -> ExportedTable:
        group = f"rowid // {CHUNK_ROWS}" if self._positional else "0"
        columns = self._table.stored_columns
        measured = measured_groups(self._con, self._relation, columns, group, width(columns))
        chunks = [(number, fingerprint) for number, fingerprint, _ in measured]
        group_rows = row_group_rows(max((bytes_a_row for _, _, bytes_a_row in measured), default=0))
        labels = f"'duckback.backup': {literal(self._order.label)}, 'duckback.table': {literal(self._table.label)}"
        options = f"{_COPY_OPTIONS}, ROW_GROUP_SIZE {group_rows}, KV_METADATA {{{labels}}}"
        parts = [
            _Part(number, chunks[start : start + CHUNKS_PER_FILE])
            for number, start in enumerate(range(0, max(len(chunks), 1), CHUNKS_PER_FILE))
        ]
        files: list[ExportedFile] = []
        done = 0
        for part in parts:
            files.append(self._copy(part, options, done, report))
            done += part.rows
            report(Progress(_STEP, rows_done=done))
        if self.native is not None:
            self.native.take(self._con, self._relation)
        rows = total([fingerprint for _, fingerprint in chunks])
        return ExportedTable(
            schema_name=self._table.schema_name,
            name=self._table.name,
            storage={name: storages(of) for name, of in self._types.items()},
            files=tuple(files),
            native=ExportedFile(name=self.native.file_name, rows=rows.rows) if self.native else None,
            fingerprint=rows,
            segments=tuple(segment for part in parts for segment in _segments(part)),
        )

    def _copy(self, part: _Part, options: str, done: int, report: Report) -> ExportedFile:
        name = f"{self._stem}.{part.number:04d}.parquet"
        values = ", ".join(
            f"{stored(identifier(column), of)} AS {identifier(column)}" for column, of in self._types.items()
        )
        path = literal(str(self._order.staging / name))
        statement = f"COPY (SELECT {values} FROM {self._relation} {self._range(part)}) TO {path} ({options})"
        with followed(self._con, lambda share: report(Progress(_STEP, rows_done=done + int(share * part.rows)))):
            (written,) = self._con.execute(statement).fetchall()[0]
        return ExportedFile(name=name, rows=written)

    def _range(self, part: _Part) -> str:
        if not part.chunks or not self._positional:
            return ""
        low, high = part.chunks[0][0] * CHUNK_ROWS, (part.chunks[-1][0] + 1) * CHUNK_ROWS
        ordered = scalar(self._con, "SELECT current_setting('preserve_insertion_order')")
        return f"WHERE rowid >= {low} AND rowid < {high}" + ("" if ordered else " ORDER BY rowid")


def _segments(part: _Part) -> Iterator[Segment]:
    first = 0
    for _, fingerprint in part.chunks:
        runs = (Run(object=part.number, first_row=first, rows=fingerprint.rows),)
        yield Segment(fingerprint=fingerprint, runs=runs)
        first += fingerprint.rows
