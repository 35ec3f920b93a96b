"""Rows from a table's files into the table."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from duckback.errors import IntegrityError, UsageError
from duckback.model.catalog import Constraint, Table
from duckback.model.manifest import TableBackup
from duckback.source.condition import chosen
from duckback.source.engine import scalar, translated
from duckback.source.files import among, rows_that_count
from duckback.source.native import native_rows
from duckback.source.progress import followed
from duckback.source.sql import identifier, qualified

_WAITING = "temp.main.duckback_waiting"
_READY = "temp.main.duckback_ready"
_NUMBER = "duckback_number"


@contextmanager
def rows_of(
    con: duckdb.DuckDBPyConnection, table: Table, rows: TableBackup, files: Mapping[str, Path]
) -> Iterator[str]:
    """The relation of a table's rows in its files: the native one where there is one."""
    if rows.native is not None:
        with native_rows(con, files[rows.native.key], table.label) as relation:
            yield relation
    else:
        yield rows_that_count(rows, files, table.stored_columns)


def load_rows(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rows: TableBackup,
    files: Mapping[str, Path],
    tell: Callable[[float], None],
    *,
    where: str | None = None,
) -> None:
    """Insert a table's rows into the empty table, in the order of the files.

    DuckDB checks a foreign key against the rows that earlier statements inserted: where a table refers to itself,
    those that others refer to go first.

    Args:
        con: whose current database has the table.
        table: its definition.
        rows: which objects hold its rows.
        files: each object's key → the local file.
        tell: hears the share that is done, 0 to 1.
        where: only the rows for which this condition holds; None: all.

    Raises:
        UsageError: a row that is left out by the condition is one to which others refer.
        SourceError: the rows cannot be read, or the table does not take them.
    """
    to_itself = [c for c in table.constraints if c.referenced_table and table.beside(c.referenced_table) == table.key]
    with rows_of(con, table, rows, files) as every, translated(f"table {table.label}"), followed(con, tell):
        relation = chosen(con, table, every, where)
        with _fitting(table, where):
            if to_itself:
                numbered = f"SELECT row_number() OVER () AS {_NUMBER}, * FROM {relation}"
                con.execute(f"CREATE TEMPORARY TABLE {_WAITING} AS {numbered}").fetchall()
            else:
                _insert(con, table, relation)
    if to_itself:
        with translated(f"table {table.label}"), _fitting(table, where):
            _insert_in_rounds(con, table, to_itself)


@contextmanager
def _fitting(table: Table, where: str | None) -> Iterator[None]:
    """Where a condition leaves rows out, say so of rows that refer to them, and of those that it does not fit."""
    try:
        yield
    except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException) as error:
        if where is None:
            raise
        why = str(error).splitlines()[0]
        raise UsageError(f"--where cannot be computed for every row of table {table.label}: {why}") from error
    except (duckdb.ConstraintException, IntegrityError) as error:
        if where is None:
            raise
        raise UsageError(
            f"rows of table {table.label} refer to rows that --where leaves out",
            hint="Restore the table that they refer to whole, into another file: one --table at a time has no foreign"
            " keys to other tables. Or give a condition that takes those rows too.",
        ) from error


def _insert(con: duckdb.DuckDBPyConnection, table: Table, relation: str) -> None:
    names = ", ".join(identifier(column.name) for column in table.stored_columns)
    con.execute(f"INSERT INTO {qualified(*table.path)} ({names}) SELECT {names} FROM {relation}").fetchall()


def _insert_in_rounds(con: duckdb.DuckDBPyConnection, table: Table, to_itself: list[Constraint]) -> None:
    """Insert, each time, the waiting rows whose parents are there."""
    is_ready = " AND ".join(_has_parent(table, constraint) for constraint in to_itself)
    while scalar(con, f"SELECT count(*) FROM {_WAITING}"):
        con.execute(f"CREATE TEMPORARY TABLE {_READY} AS SELECT {_NUMBER} FROM {_WAITING} w WHERE {is_ready}")
        if not scalar(con, f"SELECT count(*) FROM {_READY}"):
            raise IntegrityError(f"rows of table {table.label} refer to rows that are not there")
        # Neither a join nor a sort may hold these rows: they stream past the numbers, in the order in which they wait.
        _insert(con, table, f"{_WAITING} WHERE {among(_NUMBER, f'FROM {_READY}')}")
        con.execute(f"DELETE FROM {_WAITING} WHERE {_NUMBER} IN (FROM {_READY})")
        con.execute(f"DROP TABLE {_READY}")
    con.execute(f"DROP TABLE {_WAITING}")


def _has_parent(table: Table, constraint: Constraint) -> str:
    pairs = list(zip(map(identifier, constraint.columns), map(identifier, constraint.referenced_columns), strict=True))
    is_null = " OR ".join(f"w.{column} IS NULL" for column, _ in pairs)
    equal = " AND ".join(f"p.{referenced} = w.{column}" for column, referenced in pairs)
    return f"({is_null} OR EXISTS (FROM {qualified(*table.path)} p WHERE {equal}))"
