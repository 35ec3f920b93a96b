"""The rows of a backup, read from its objects alone: unpacked, less the removed positions, counted and hashed."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from duckback.errors import IntegrityError, SourceError
from duckback.model.catalog import Column, Frozen, Table
from duckback.model.column_types import Storage, is_stored
from duckback.model.manifest import Fingerprint, Manifest, TableBackup
from duckback.model.progress import Progress, Report
from duckback.source.engine import Resources, connect, hash_probe, shut_in, translated
from duckback.source.files import parquet_rows
from duckback.source.fingerprint import grouped_fingerprints, total
from duckback.source.load_rows import rows_of
from duckback.source.progress import followed
from duckback.source.types import parse_type

STEP = "verify-duckdb-backups"


class TableRead(Frozen):
    """What a table's objects hold: the fingerprint of its rows, or why they cannot be read."""

    fingerprint: Fingerprint | None = None
    problem: str | None = None


class RowsRead(Frozen):
    """What the objects of a backup hold, by the DuckDB that has read them.

    Attributes:
        tables: by `schema.name`.
        hashes_alike: whether this DuckDB hashes rows as the one that took the backup.
    """

    tables: dict[str, TableRead]
    hashes_alike: bool


def read_rows(manifest: Manifest, files: Mapping[str, Path], *, resources: Resources, report: Report) -> RowsRead:
    """Read every row of every table, with nothing but the objects' files within reach.

    Args:
        manifest: of the backup, narrowed to the tables that are to be read.
        files: each object's key → a local file with its bytes.
        resources: limits for DuckDB.
        report: hears how far it is.

    Raises:
        SourceError: DuckDB lacks memory or disk; what is wrong with a table is in its result.
    """
    definitions = {(table.schema_name, table.name): table for table in manifest.catalog.tables}
    found: dict[str, TableRead] = {}
    rows_done = 0
    with connect(resources) as con:
        alike = manifest.engine.duckdb_version == duckdb.__version__ and hash_probe(con) == manifest.engine.hash_probe
        shut_in(con, files.values())
        for rows in manifest.tables:
            table = definitions[rows.schema_name, rows.name]

            def tell(share: float, before: int = rows_done, of: int = rows.rows) -> None:
                report(Progress(STEP, rows_done=before + int(share * of), rows_total=manifest.rows))

            tell(0)
            with followed(con, tell):
                found[table.label] = _read(con, table, rows, files)
            rows_done += rows.rows
    return RowsRead(tables=found, hashes_alike=alike)


def _read(con: duckdb.DuckDBPyConnection, table: Table, rows: TableBackup, files: Mapping[str, Path]) -> TableRead:
    try:
        with translated(f"table {table.label}"):
            refuse_more_rows(con, rows, files)
            with rows_of(con, table, rows, files) as relation:
                found = _fingerprint(con, relation, table.stored_columns)
            if rows.native is not None:
                _compare_rest(con, table, rows, files)
    except IntegrityError as error:
        return TableRead(problem=error.message)
    except SourceError as error:
        if isinstance(error.__cause__, duckdb.OutOfMemoryException) or "No space left" in str(error.__cause__):
            raise
        return TableRead(problem=f"its objects cannot be read: {error.message}")
    return TableRead(fingerprint=found)


def refuse_more_rows(con: duckdb.DuckDBPyConnection, rows: TableBackup, files: Mapping[str, Path]) -> None:
    """Look at the footers before anything is unpacked: a few bytes of Parquet can claim any number of rows.

    Raises:
        IntegrityError: an object has another number of rows than its manifest says.
    """
    for ref in (*rows.objects, *rows.removed):
        count = con.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(files[ref.key])]).fetchone()
        if count is None or count[0] != ref.rows:
            raise IntegrityError(f"{ref.key} has {count and count[0]} rows instead of {ref.rows}")


def _compare_rest(con: duckdb.DuckDBPyConnection, table: Table, rows: TableBackup, files: Mapping[str, Path]) -> None:
    """The columns that Parquet does hold, beside the native file, have its rows."""
    columns = [c for c in table.stored_columns if not is_stored(parse_type(c.type), Storage.NATIVE)]
    beside = parquet_rows([files[ref.key] for ref in rows.objects], columns)
    with rows_of(con, table, rows, files) as relation:
        if _fingerprint(con, relation, columns) != _fingerprint(con, beside, columns):
            raise IntegrityError("its Parquet files do not hold the rows of its native one")


def _fingerprint(
    con: duckdb.DuckDBPyConnection, relation: str, columns: tuple[Column, ...] | list[Column]
) -> Fingerprint:
    return total([part for _, part in grouped_fingerprints(con, relation, columns, "0")])
