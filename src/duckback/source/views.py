"""The tables of a backup as views: their text, which reads nothing."""

from collections.abc import Sequence

import duckdb

from duckback.errors import SourceError
from duckback.model.catalog import Column, Table, View
from duckback.source.engine import scalar
from duckback.source.sql import identifier, literal, qualified

NOT_OPEN = "duckback: the objects of this table are not open yet"


def placeholder(table: Table) -> View:
    """A view with the table's columns that fails when it is read, and by which other views can be made."""
    condition = f"error({literal(NOT_OPEN)})::BOOLEAN"
    return _view(table, f"SELECT {_nulls(table.columns)} WHERE {condition}")


def over(table: Table, relation: str, generated: Sequence[Column]) -> View:
    """The view that shows a table as its source has it; arguments as of `rows_of_view`."""
    return _view(table, rows_of_view(table, relation, generated))


def empty_rows(table: Table) -> str:
    """A relation with all columns of a table and no rows, which reads nothing."""
    return f"(SELECT {_nulls(table.columns)} WHERE false)"


def rows_of_view(table: Table, relation: str, generated: Sequence[Column]) -> str:
    """The query that gives a table as its source has it: its columns, in their order, of their types.

    Args:
        table: its definition.
        relation: its rows.
        generated: its generated columns, each after those that it is made of.
    """
    rows = f"SELECT {', '.join(_typed(column, identifier(column.name)) for column in table.stored_columns)}"
    rows += f" FROM {relation}"
    for column in generated:
        rows = f"SELECT *, {_typed(column, column.generated or 'NULL')} FROM ({rows})"
    if generated:
        rows = f"SELECT {', '.join(identifier(column.name) for column in table.columns)} FROM ({rows})"
    return rows


def generated_in_order(con: duckdb.DuckDBPyConnection, table: Table) -> list[Column]:
    """The generated columns of a table, each after those that it is made of, as DuckDB itself finds them.

    Args:
        con: an instance that is shut in, with the macros that they may use.
        table: its definition.

    Raises:
        SourceError: one of them cannot be computed.
    """
    ordered: list[Column] = []
    waiting = [column for column in table.columns if column.generated is not None]
    while waiting:
        known = [*table.stored_columns, *ordered]
        failures = [_why_not(con, column, known) for column in waiting]
        free = [column for column, why in zip(waiting, failures, strict=True) if why is None]
        if not free:
            raise SourceError(f"column {waiting[0].name} of table {table.label} cannot be computed: {failures[0]}")
        ordered += free
        waiting = [column for column in waiting if column not in free]
    return ordered


def _why_not(con: duckdb.DuckDBPyConnection, column: Column, known: Sequence[Column]) -> str | None:
    value = _typed(column, column.generated or "NULL")
    try:
        scalar(con, f"SELECT count(*) FROM (SELECT {value} FROM (SELECT {_nulls(known)} WHERE false))")
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None


def _nulls(columns: Sequence[Column]) -> str:
    return ", ".join(_typed(column, "NULL") for column in columns)


def _typed(column: Column, value: str) -> str:
    collation = f" COLLATE {column.collation}" if column.collation is not None else ""
    return f"({value})::{column.type}{collation} AS {identifier(column.name)}"


def _view(table: Table, query: str) -> View:
    return View(schema_name=table.schema_name, name=table.name, sql=f"CREATE VIEW {qualified(*table.path)} AS {query}")
