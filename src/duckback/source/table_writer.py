"""One table of a snapshot into Parquet files, with fingerprints taken from that same snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import duckdb

from duckback.model.catalog import Table
from duckback.model.column_types import Storage, is_stored, storages
from duckback.model.difference import Chunk
from duckback.model.export import ExportedFile, ExportedTable, FileKind
from duckback.model.manifest import Fingerprint, Run, Segment
from duckback.model.progress import Progress, Report
from duckback.source.encoding import stored
from duckback.source.encodings import parquet_version
from duckback.source.engine import KEEPS_ONE_ZERO, scalar
from duckback.source.fingerprint import CHUNK_ROWS, measured_groups, total
from duckback.source.native import NativeCopy
from duckback.source.order import ExportOrder
from duckback.source.progress import followed
from duckback.source.sql import identifier, literal, qualified
from duckback.source.types import may_hold_floats, parse_type
from duckback.source.width import row_group_rows, width

CHUNKS_PER_FILE = 16
"""A file holds at most 2 million rows, so that a large table is hashed, sent and fetched in parallel."""

STEP = "export-duckdb-to-parquet"

# Bloom filters cost 3 % of the CPU time, and serve none of the reads that a backup is for.
_COPY_OPTIONS = "FORMAT parquet, COMPRESSION zstd, WRITE_BLOOM_FILTER false"
_HIDING_NUMBERS = {"rowid", "file_row_number"}
_HIDING_POSITIONS = {*_HIDING_NUMBERS, "file_index"}


@dataclass(frozen=True)
class Measured:
    """A table as the first scan finds it: its chunks, and the rows that a row group may hold."""

    chunks: tuple[Chunk, ...]
    group_rows: int

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Of all rows."""
        return total([chunk.fingerprint for chunk in self.chunks])


class TableWriter:
    """Writes one table.

    Args:
        con: inside the snapshot's transaction.
        database: the name under which it is attached.
        table: its definition.
        order: where the files go.
        stem: makes their names unique there.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, database: str, table: Table, order: ExportOrder, stem: str
    ) -> None:
        self.con = con
        self.table = table
        self.relation = qualified(database, *table.path)
        self.order = order
        self.stem = stem
        self._types = {column.name: parse_type(column.type) for column in table.stored_columns}
        self.native: NativeCopy | None = None

    @property
    def has_numbers(self) -> bool:
        """Whether rows can be told by their numbers, in the table and in a file: a column of that name hides them.

        If not, the table is one chunk in one file.
        """
        return not self._has_column(_HIDING_NUMBERS)

    @property
    def has_positions(self) -> bool:
        """Whether rows can be told by their numbers in several files too."""
        return not self._has_column(_HIDING_POSITIONS)

    @property
    def is_native(self) -> bool:
        """Whether Parquet cannot hold it exactly."""
        return any(is_stored(of, Storage.NATIVE) for of in self._types.values())

    @property
    def storage(self) -> dict[str, str]:
        """Per stored column, the way that Parquet holds it."""
        return {name: storages(of) for name, of in self._types.items()}

    def _has_column(self, names: set[str]) -> bool:
        return not names.isdisjoint(column.name.lower() for column in self.table.columns)

    def measure(self) -> Measured:
        """Scan the table once."""
        group = f"rowid // {CHUNK_ROWS}" if self.has_numbers else "0"
        columns = self.table.stored_columns
        found = measured_groups(self.con, self.relation, columns, group, width(columns))
        widest = max((bytes_a_row for _, _, bytes_a_row in found), default=0)
        return Measured(tuple(Chunk(number, rows) for number, rows, _ in found), row_group_rows(widest))

    def write_whole(self, measured: Measured, report: Report, reason: str | None = None) -> ExportedTable:
        """Write all of it; the reason says why, in an incremental."""
        chunks = measured.chunks
        files: list[ExportedFile] = []
        segments: list[Segment] = []
        done = 0
        for number, start in enumerate(range(0, max(len(chunks), 1), CHUNKS_PER_FILE)):
            part = chunks[start : start + CHUNKS_PER_FILE]
            rows = [self._range(part)] if part and self.has_numbers else [self.relation]
            heard = _from(report, done)
            files.append(self.copy("rows", number, part, rows, group_rows=measured.group_rows, report=heard))
            segments += _segments(number, part)
            done += files[-1].rows
        if self.is_native:
            self.native = NativeCopy(self.order.staging / f"{self.stem}.native.duckdb", self.table)
            self.native.take(self.con, self.relation)
        rows_in_all = measured.fingerprint
        return ExportedTable(
            schema_name=self.table.schema_name,
            name=self.table.name,
            method="full",
            reason=reason,
            storage=self.storage,
            files=tuple(files),
            native=self._native_file(rows_in_all),
            rows_added=rows_in_all.rows,
            fingerprint=rows_in_all,
            segments=tuple(segments),
        )

    def _native_file(self, rows: Fingerprint) -> ExportedFile | None:
        if self.native is None:
            return None
        return ExportedFile(name=self.native.file_name, kind="native", rows=rows.rows, stretches=(rows,))

    def _range(self, part: Sequence[Chunk]) -> str:
        low, high = part[0].number * CHUNK_ROWS, (part[-1].number + 1) * CHUNK_ROWS
        return f"{self.relation} WHERE rowid >= {low} AND rowid < {high}"

    def copy(
        self,
        kind: FileKind,
        number: int,
        chunks: Sequence[Chunk],
        sources: Sequence[str],
        *,
        group_rows: int,
        report: Report,
    ) -> ExportedFile:
        """Write one file.

        Args:
            kind: of the file.
            number: of the part.
            chunks: whose rows the file is to have, in this order, with the fingerprints of these rows.
            sources: what is to be written: `relation [WHERE …]` each, in the order of the rowids.
            group_rows: that a row group may hold.
            report: hears how many rows are done.
        """
        middle = "" if kind == "rows" else f".{kind}"
        name = f"{self.stem}{middle}.{number:04d}.parquet"
        labels = f"'duckback.backup': {literal(self.order.label)}, 'duckback.table': {literal(self.table.label)}"
        plain = ", DICTIONARY_SIZE_LIMIT 0" if KEEPS_ONE_ZERO and may_hold_floats(self.table.stored_columns) else ""
        version = parquet_version(self.con, self._types, sources)
        options = (
            f"{_COPY_OPTIONS}{plain}, PARQUET_VERSION {version}, ROW_GROUP_SIZE {group_rows}, KV_METADATA {{{labels}}}"
        )
        values = ", ".join(f"{stored(identifier(name), of)} AS {identifier(name)}" for name, of in self._types.items())
        query = " UNION ALL ".join(f"(SELECT {values} FROM {source}{self._in_order(chunks)})" for source in sources)
        statement = f"COPY ({query}) TO {literal(str(self.order.staging / name))} ({options})"
        rows = sum(chunk.fingerprint.rows for chunk in chunks)
        with followed(self.con, lambda share: report(Progress(STEP, rows_done=int(share * rows)))):
            (written,) = self.con.execute(statement).fetchall()[0]
        report(Progress(STEP, rows_done=written))
        stretches = tuple(chunk.fingerprint for chunk in chunks)
        return ExportedFile(name=name, kind=kind, part=number, rows=written, stretches=stretches)

    def _in_order(self, chunks: Sequence[Chunk]) -> str:
        if not chunks or not self.has_numbers:
            return ""
        return "" if scalar(self.con, "SELECT current_setting('preserve_insertion_order')") else " ORDER BY rowid"


def _segments(number: int, part: Sequence[Chunk]) -> list[Segment]:
    first = 0
    found: list[Segment] = []
    for chunk in part:
        runs = (Run(object=number, first_row=first, rows=chunk.fingerprint.rows),)
        found.append(Segment(fingerprint=chunk.fingerprint, runs=runs, chunk=chunk.number))
        first += chunk.fingerprint.rows
    return found


def _from(report: Report, before: int) -> Report:
    return lambda progress: report(Progress(STEP, rows_done=before + progress.rows_done))
