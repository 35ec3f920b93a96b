"""The proof: written files are read again, and their rows must be those that the snapshot had."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from duckback.errors import IntegrityError, SourceError
from duckback.model.catalog import Column, Table
from duckback.model.column_types import Storage, is_stored
from duckback.model.export import Export, ExportedFile, ExportedTable
from duckback.model.manifest import Fingerprint
from duckback.model.progress import Progress, Report
from duckback.source.engine import connect, scalar, set_session, translated
from duckback.source.files import POSITION_COLUMNS, parquet_rows
from duckback.source.fingerprint import CHUNK_ROWS, fingerprint_of, grouped_fingerprints
from duckback.source.native import native_rows
from duckback.source.resources import Resources
from duckback.source.sql import literal
from duckback.source.types import parse_type

_HINT = "Nothing was uploaded. Run it again; if it recurs, check this machine's memory and disk."


def prove_files(export: Export, staging: Path, *, resources: Resources, report: Report) -> Export:
    """Read every file of an export and compare each segment's fingerprint with the snapshot's.

    Returns:
        The export, with the bytes of each file's columns before compression filled in.

    Raises:
        IntegrityError: a file does not hold the rows that the snapshot had.
    """
    proven: list[ExportedTable] = []
    rows_done = 0
    with connect(resources) as con:
        for table, definition in zip(export.tables, export.catalog.tables, strict=True):
            native = staging / table.native.name if table.native else None
            if native is not None:
                _compare_native(con, native, definition, table)
            files: list[ExportedFile] = []
            for file in table.files:
                if native is None:
                    _compare(con, staging / file.name, definition.label, definition.stored_columns, file.stretches)
                files.append(file.model_copy(update={"raw_bytes": _raw_bytes(con, staging / file.name)}))
                rows_done += file.rows
                report(Progress("read again", rows_done=rows_done, rows_total=export.rows_written))
            if native is not None:
                _compare_rest(con, native, [staging / file.name for file in table.files], definition)
            if table.removed is not None:
                path = staging / table.removed.name
                _compare(con, path, definition.label, POSITION_COLUMNS, table.removed.stretches)
            proven.append(table.model_copy(update={"files": tuple(files)}))
    return export.model_copy(update={"tables": tuple(proven)})


def _compare(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    label: str,
    columns: Sequence[Column],
    expected: Sequence[Fingerprint],
) -> None:
    try:
        found = file_fingerprints(con, path, columns, [stretch.rows for stretch in expected])
    except SourceError as error:
        if isinstance(error.__cause__, duckdb.OutOfMemoryException):
            raise
        raise IntegrityError(
            f"the Parquet file of table {label} cannot be read again: {error.message}", hint=_HINT
        ) from error
    if found != list(expected):
        raise IntegrityError(
            f"the Parquet file of table {label} does not hold the rows that the snapshot had",
            hint=_HINT,
        )


def _compare_native(con: duckdb.DuckDBPyConnection, path: Path, table: Table, exported: ExportedTable) -> None:
    with translated(str(path)), native_rows(con, path, table.label) as relation:
        found = fingerprint_of(con, relation, table.stored_columns)
    if found != exported.fingerprint:
        raise IntegrityError(
            f"the native file of table {table.label} does not hold the rows that the snapshot had", hint=_HINT
        )


def _compare_rest(con: duckdb.DuckDBPyConnection, native: Path, files: Sequence[Path], table: Table) -> None:
    """Compare the columns that Parquet does hold with those of the native file, which was proven before."""
    columns = [c for c in table.stored_columns if not is_stored(parse_type(c.type), Storage.NATIVE)]
    with translated(str(native)), native_rows(con, native, table.label) as relation:
        found = [fingerprint_of(con, rows, columns) for rows in (relation, parquet_rows(files, columns))]
    if found[0] != found[1]:
        raise IntegrityError(
            f"the Parquet files of table {table.label} do not hold the rows that the snapshot had", hint=_HINT
        )


def file_fingerprints(
    con: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[Column], lengths: Sequence[int]
) -> list[Fingerprint]:
    """Fingerprints of consecutive stretches of a Parquet file's rows.

    Args:
        con: any connection.
        path: the file.
        columns: as the table has them.
        lengths: rows of each stretch, in file order; what the file has beyond them is one stretch more.
    """
    with translated(str(path)):
        single = len(lengths) < 2  # noqa: PLR2004 -- one stretch needs no row numbers
        relation = parquet_rows([path], columns, numbered=not single)
        group = "0" if single else _stretch(lengths)
        return [found for _, found in grouped_fingerprints(con, relation, columns, group)]


def _stretch(lengths: Sequence[int]) -> str:
    if all(length == CHUNK_ROWS for length in lengths[:-1]) and lengths[-1] <= CHUNK_ROWS:
        return f"file_row_number // {CHUNK_ROWS}"
    ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
    cases = " ".join(f"WHEN file_row_number < {end} THEN {number}" for number, end in enumerate(ends))
    return f"CASE {cases} ELSE {len(ends)} END"


def _raw_bytes(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    query = f"SELECT coalesce(sum(total_uncompressed_size), 0)::BIGINT FROM parquet_metadata({literal(str(path))})"
    return int(str(scalar(con, query)))


def compression_codecs(files: Sequence[Path]) -> dict[str, set[str]]:
    """The compression of every column chunk of Parquet files, as their own footers state it, by file name."""
    with duckdb.connect() as con:
        set_session(con)
        query = "SELECT DISTINCT compression FROM parquet_metadata(?)"
        return {path.name: {row[0] for row in con.execute(query, [str(path)]).fetchall()} for path in files}
