"""The rows of a table that the parent does not have, and the positions of the parent's rows that are gone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from duckback.model.difference import (
    Changes,
    Chunk,
    Match,
    are_proven,
    is_hopeless,
    is_outgrown,
    match,
    next_segments,
)
from duckback.model.export import BaseTable, ExportedFile, ExportedTable
from duckback.model.manifest import ObjectRef, Run
from duckback.model.pace import Pace, Side
from duckback.model.progress import Progress, Report
from duckback.source.difference import NOW, Difference
from duckback.source.files import POSITION_COLUMNS, among, parquet_rows
from duckback.source.fingerprint import CHUNK_ROWS, grouped_fingerprints, row_hash
from duckback.source.order import Fetch
from duckback.source.sql import literal
from duckback.source.table_writer import CHUNKS_PER_FILE, STEP, Measured, TableWriter

CHUNKS_PER_BATCH = 4
"""Half a million rows of each side at a time; more of them are no faster, and take more memory than the export."""

_CHOSEN = "duckback_chosen"


class MustRewrite(Exception):
    """The difference cannot be had, or would be no gain; the words say why."""


class TableChanges:
    """The difference of one table, whose columns are those of the parent's.

    Args:
        writer: of the table.
        measured: its chunks.
        known: what the parent has.
        fetch: gets the parent's objects.
    """

    def __init__(self, writer: TableWriter, measured: Measured, known: BaseTable, fetch: Fetch) -> None:
        self._writer = writer
        self._measured = measured
        self._backup = known.backup
        self._fetch = fetch
        hashes = row_hash(writer.table.stored_columns)
        self._hashes = f"{hashes.first} AS h1, {hashes.second} AS h2"

    def write(self, share: float, report: Report) -> ExportedTable:
        """Compare, prove, and write what has changed.

        Args:
            share: of the table's rows that may have been added or removed since it was written whole.
            report: hears how many rows are done.

        Raises:
            MustRewrite: nothing was written.
            IntegrityError: an object of the parent is not there as it should be; nothing was written.
        """
        found = match(self._measured.chunks, self._backup.segments)
        spill = self._writer.order.resources.spill
        difference = Difference(self._writer.con, spill, self._writer.stem)
        try:
            self._compare(found, difference, share, report)
            changes = Changes(
                added=difference.added_by(CHUNK_ROWS),
                removed=difference.removed_by(list(_labelled(found))),
            )
            self._refuse_unless_worth_it(changes, share)
            if not are_proven(changes, self._backup.fingerprint, self._measured.fingerprint):
                raise MustRewrite("its difference to the parent does not add up")
            return self._write(found, changes, difference, report)
        finally:
            difference.close()

    def _compare(self, found: Match, difference: Difference, share: float, report: Report) -> None:
        runs = [run for segment in found.segments for run in segment.runs]
        refs = [self._backup.objects[number] for number in sorted({run.object for run in runs})]
        files = self._fetch([ref.key for ref in (*refs, *(self._backup.removed if runs else ()))])
        parent = _Parent(self._writer, self._backup.objects, self._backup.removed, files, self._hashes)
        # Of a table that was mixed up, nearly nothing cancels: there is no need to look at all of it.
        most = share * max(self._measured.fingerprint.rows, 1) + 2 * CHUNKS_PER_BATCH * CHUNK_ROWS
        now, then = Side(found.chunks, lambda chunk: chunk.fingerprint.rows), Side(runs, lambda run: run.rows)
        pace = Pace(now, then, CHUNKS_PER_BATCH * CHUNK_ROWS)
        for step in pace:
            of_now = {number: [self._now(chunks)] for number, chunks in step.now.items()}
            of_parent = {number: parent.rows(some) for number, some in step.parent.items()}
            past = pace.hear(difference.cancel({**of_now, **of_parent}))
            if is_hopeless(pace.steps, now.rows + then.rows, most):
                raise MustRewrite("too many of its rows are not where the parent has them")
            difference.set_aside(past)
            report(Progress(STEP, rows_done=now.rows_read))
        difference.settle()

    def _now(self, chunks: Sequence[Chunk]) -> str:
        ranges = " OR ".join(f"(rowid >= {low} AND rowid < {high})" for low, high in _ranges(chunks))
        return f"SELECT {NOW} AS o, rowid AS r, {self._hashes} FROM {self._writer.relation} WHERE {ranges}"

    def _refuse_unless_worth_it(self, changes: Changes, share: float) -> None:
        rows = self._measured.fingerprint.rows
        added, removed = changes.rows_added, changes.rows_removed
        if is_outgrown(self._backup, rows_added=added, rows_removed=removed, rows=rows, share=share):
            raise MustRewrite(
                f"added and removed rows, {added + removed:,} of them since the parent, are more than {share:.0%}"
                f" of its {rows:,} rows"
            )

    def _write(self, found: Match, changes: Changes, difference: Difference, report: Report) -> ExportedTable:
        runs: dict[int, Run] = {}
        files: list[ExportedFile] = []
        for part in _parts(changes):
            first = 0
            for chunk in part:
                number = len(self._backup.objects) + len(files)
                runs[chunk.number] = Run(object=number, first_row=first, rows=chunk.fingerprint.rows)
                first += chunk.fingerprint.rows
            sources = list(self._sources(part, difference))
            group_rows = self._measured.group_rows
            files.append(self._writer.copy("added", len(files), part, sources, group_rows=group_rows, report=report))
        return ExportedTable(
            schema_name=self._writer.table.schema_name,
            name=self._writer.table.name,
            method="changed",
            storage=self._writer.storage,
            kept=self._backup,
            files=tuple(files),
            removed=self._write_removed(difference) if changes.rows_removed else None,
            rows_added=changes.rows_added,
            rows_removed=changes.rows_removed,
            fingerprint=self._measured.fingerprint,
            segments=next_segments(found, changes, runs),
        )

    def _sources(self, part: Sequence[Chunk], difference: Difference) -> Iterator[str]:
        """The added rows of these chunks, in the order of their rowids."""
        whole = {chunk.number: chunk.fingerprint for chunk in self._measured.chunks}
        for place, (low, high) in enumerate(_pieces(part)):
            span = f"{self._writer.relation} WHERE rowid >= {low} AND rowid < {high}"
            numbers = range(low // CHUNK_ROWS, high // CHUNK_ROWS)
            if all(chunk.fingerprint == whole[chunk.number] for chunk in part if chunk.number in numbers):
                yield span
                continue
            # A bit for each rowid: unlike a join it keeps the order of the rows, and the scan itself can look at it.
            chosen = f"{_CHOSEN}_{place}"
            bits = f"SELECT bitstring_agg(r, {low}::BIGINT, {high - 1}::BIGINT) FROM ({difference.added(low, high)})"
            self._writer.con.execute(f"SET VARIABLE {chosen} = ({bits})")
            yield f"{span} AND get_bit(getvariable('{chosen}'), (rowid - {low})::INTEGER) = 1"

    def _write_removed(self, difference: Difference) -> ExportedFile:
        con, order = self._writer.con, self._writer.order
        name = f"{self._writer.stem}.removed.parquet"
        query = difference.removed([ref.position_name for ref in self._backup.objects])
        labels = f"'duckback.backup': {literal(order.label)}, 'duckback.table': {literal(self._writer.table.label)}"
        con.execute(
            f'COPY ({query} ORDER BY object, "row") TO {literal(str(order.staging / name))}'
            f" (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, KV_METADATA {{{labels}}})"
        ).fetchall()
        ((_, positions),) = grouped_fingerprints(con, f"({query})", POSITION_COLUMNS, "0")
        return ExportedFile(name=name, kind="removed", rows=positions.rows, stretches=(positions,))


class _Parent:
    """The parent's rows that are still there, as queries."""

    def __init__(
        self,
        writer: TableWriter,
        objects: Sequence[ObjectRef],
        removed: Sequence[ObjectRef],
        files: Mapping[str, Path],
        hashes: str,
    ) -> None:
        self._columns = writer.table.stored_columns
        self._objects = objects
        self._files = files
        self._hashes = hashes
        self._gone: dict[str, str] = {}
        paths = [files[ref.key] for ref in removed if ref.key in files]
        if paths:
            relation = parquet_rows(paths, POSITION_COLUMNS)
            names = writer.con.execute(f"SELECT DISTINCT object FROM {relation}").fetchall()
            self._gone = {name: f'SELECT "row" FROM {relation} WHERE object = {literal(name)}' for (name,) in names}

    def rows(self, runs: Sequence[Run]) -> Iterator[str]:
        """The queries of the rows that lie in these runs."""
        for number in sorted({run.object for run in runs}):
            ref = self._objects[number]
            spans = _merged((run.first_row, run.first_row + run.rows) for run in runs if run.object == number)
            where = " OR ".join(f"(file_row_number >= {low} AND file_row_number < {high})" for low, high in spans)
            if ref.position_name in self._gone:
                where = f"({where}) AND NOT {among('file_row_number', self._gone[ref.position_name])}"
            relation = parquet_rows([self._files[ref.key]], self._columns, numbered=True)
            yield f"SELECT {number} AS o, file_row_number AS r, {self._hashes} FROM {relation} WHERE {where}"


def _ranges(chunks: Iterable[Chunk]) -> list[tuple[int, int]]:
    return _merged((chunk.number * CHUNK_ROWS, (chunk.number + 1) * CHUNK_ROWS) for chunk in chunks)


def _pieces(chunks: Iterable[Chunk]) -> Iterator[tuple[int, int]]:
    """The same, none of more rowids than a file has rows: DuckDB copies the bits of one several times."""
    rows = CHUNKS_PER_FILE * CHUNK_ROWS
    for low, high in _ranges(chunks):
        yield from ((first, min(first + rows, high)) for first in range(low, high, rows))


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans (from, to) in order, those that touch as one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def _parts(changes: Changes) -> Iterator[Sequence[Chunk]]:
    """The chunks with added rows, of so many rows at most that they fit into a file."""
    part: list[Chunk] = []
    for number, rows in sorted(changes.added.items()):
        part.append(Chunk(number, rows))
        if sum(chunk.fingerprint.rows for chunk in part) >= CHUNKS_PER_FILE * CHUNK_ROWS:
            yield part
            part = []
    if part:
        yield part


def _labelled(found: Match) -> Iterator[tuple[int, int, int]]:
    for index, segment in enumerate(found.segments):
        for run in segment.runs:
            yield run.object, run.first_row, index
