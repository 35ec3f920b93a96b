"""The export: every table of one snapshot as Parquet, with fingerprints taken from that same snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from duckback.errors import SourceDamaged
from duckback.model.catalog import Table
from duckback.model.column_types import storage_of
from duckback.model.export import Export, ExportedFile, ExportedTable
from duckback.model.manifest import Engine, Fingerprint, Run, Segment
from duckback.model.progress import Progress, Report
from duckback.source.catalog import read_inventory
from duckback.source.engine import Resources, hash_probe, scalar, translated
from duckback.source.fingerprint import CHUNK_ROWS, measured_groups, total
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


def export_snapshot(
    con: duckdb.DuckDBPyConnection,
    staging: Path,
    *,
    label: str,
    resources: Resources,
    report: Report,
    subject: Path | None = None,
) -> Export:
    """Write every table of the connection's current database to Parquet files, all from one snapshot.

    Args:
        con: a connection outside a transaction, used for nothing else meanwhile; rolled back afterwards.
        staging: an empty directory for the files.
        label: written into each file's key-value metadata, with the table's name.
        resources: for the rehearsal of the schema.
        report: hears how many rows are done.
        subject: what errors call the database; default: its name in the connection.

    Raises:
        Unsupported: something that a backup would change; named.
        SourceDamaged: DuckDB cannot make sense of what it reads.
        SourceError: the database cannot be read, or the files cannot be written.
    """
    database = str(scalar(con, "SELECT current_database()"))
    with _snapshot(con), translated(str(subject or database), otherwise=SourceDamaged):
        snapshot_at = datetime.now(UTC)
        engine = _engine(con, database)
        inventory = read_inventory(con, database)
        catalog = rehearse(inventory.catalog, resources)
        expected = int(str(scalar(con, _EXPECTED_ROWS.format(database=literal(database)))))
        tables: list[ExportedTable] = []
        rows_done = 0
        for number, table in enumerate(catalog.tables):
            exporter = _TableExporter(con, database, table, staging, f"{number:04d}")
            exported = exporter.run(label, _rows_from(report, rows_done, expected))
            rows_done += exported.fingerprint.rows
            tables.append(exported)
    return Export(
        snapshot_at=snapshot_at,
        engine=engine,
        file=None,
        catalog=catalog,
        tables=tuple(tables),
        left_out=inventory.left_out,
    )


_EXPECTED_ROWS = "SELECT coalesce(sum(estimated_size), 0)::BIGINT FROM duckdb_tables() WHERE database_name = {database}"


@contextmanager
def _snapshot(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    # BEGIN alone takes no snapshot: the first look at the database does, and all that follow see the same.
    con.execute("BEGIN TRANSACTION")
    try:
        yield
    finally:
        con.execute("ROLLBACK")


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

    def __init__(self, con: duckdb.DuckDBPyConnection, database: str, table: Table, staging: Path, stem: str) -> None:
        self._con = con
        self._table = table
        self._relation = qualified(database, table.schema_name, table.name)
        self._staging = staging
        self._stem = stem
        # A column of that name hides the pseudo-column, so such a table is one chunk in one file.
        self._positional = _SHADOWING.isdisjoint(column.name.lower() for column in table.columns)

    def run(self, label: str, report: Report) -> ExportedTable:
        group = f"rowid // {CHUNK_ROWS}" if self._positional else "0"
        columns = self._table.stored_columns
        measured = measured_groups(self._con, self._relation, columns, group, width(columns))
        chunks = [(number, fingerprint) for number, fingerprint, _ in measured]
        group_rows = row_group_rows(max((bytes_a_row for _, _, bytes_a_row in measured), default=0))
        labels = f"'duckback.backup': {literal(label)}, 'duckback.table': {literal(self._table.label)}"
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
        return ExportedTable(
            schema_name=self._table.schema_name,
            name=self._table.name,
            storage={c.name: str(storage_of(parse_type(c.type))) for c in self._table.stored_columns},
            files=tuple(files),
            fingerprint=total([fingerprint for _, fingerprint in chunks]),
            segments=tuple(segment for part in parts for segment in _segments(part)),
        )

    def _copy(self, part: _Part, options: str, done: int, report: Report) -> ExportedFile:
        name = f"{self._stem}.{part.number:04d}.parquet"
        columns = ", ".join(identifier(column.name) for column in self._table.stored_columns)
        statement = (
            f"COPY (SELECT {columns} FROM {self._relation} {self._range(part)}) TO {literal(str(self._staging / name))}"
            f" ({options})"
        )
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
