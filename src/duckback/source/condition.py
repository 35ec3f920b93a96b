"""A user's condition that says which rows of a table are to be restored."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from duckback.errors import UsageError
from duckback.model.catalog import Table
from duckback.source.views import empty_rows, generated_in_order, rows_of_view

_BOOLEAN = "BOOLEAN"
_HINT = "Give one SQL condition on columns that every selected table has, such as \"tenant = 'acme'\"."


def refuse_unfit(con: duckdb.DuckDBPyConnection, condition: str, tables: Sequence[Table]) -> None:
    """Refuse what is no condition on these tables' own columns, or would not choose the same rows every time.

    The rows are chosen when they are loaded, and again, from the objects, when the restored file is proven.

    Args:
        con: an instance with the backup's macros.
        condition: the user's text.
        tables: those that are restored.

    Raises:
        UsageError: it is something else, or does not fit one of the tables.
    """
    expression = _parsed(con, condition)
    unsteady = {name for (name,) in con.execute(_UNSTEADY).fetchall()}
    for kind, names in _parts(expression):
        if kind == "SUBQUERY":
            raise UsageError("--where holds a query of its own", hint=_HINT)
        for name in names & unsteady:
            raise UsageError(
                f"--where calls {name}, which need not give the same twice",
                hint="Give the value itself, such as TIMESTAMP '2026-11-24'.",
            )
    for table in tables:
        try:
            (found,) = con.sql(f"SELECT ({condition}\n) FROM {empty_rows(table)}").types
            con.execute(f"SELECT 1 FROM {empty_rows(table)} WHERE ({condition}\n)").fetchall()
        except duckdb.Error as error:
            raise UsageError(
                f"--where does not fit table {table.label}: {str(error).splitlines()[0]}", hint=_HINT
            ) from error
        if str(found) != _BOOLEAN:
            raise UsageError(f"--where is no condition, but gives {found}", hint=_HINT)


def chosen(con: duckdb.DuckDBPyConnection, table: Table, relation: str, condition: str | None) -> str:
    """The relation with the rows of another one, of the same table, for which the condition holds; None: all of them.

    Args:
        con: an instance with the backup's macros.
        table: its definition; the condition may name its generated columns too.
        relation: with its stored columns.
        condition: one that `refuse_unfit` has let pass.
    """
    if condition is None:
        return relation
    rows = rows_of_view(table, relation, generated_in_order(con, table))
    return f"(FROM ({rows}) WHERE ({condition}\n))"


_UNSTEADY = """
SELECT DISTINCT lower(function_name) FROM duckdb_functions()
WHERE stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY') OR NOT internal
"""
"""Functions that may give another value the next time, and the backup's own macros, which may ask anything."""


def _parsed(con: duckdb.DuckDBPyConnection, condition: str) -> Any:
    expression, around = _taken_apart(con, condition)
    if around is None or around != _taken_apart(con, "true")[1] or expression.get("alias"):
        raise UsageError(f"--where is no SQL condition: {condition!r}", hint=_HINT)
    return expression


def _taken_apart(con: duckdb.DuckDBPyConnection, condition: str) -> tuple[Any, Any]:
    """The one expression of a select list, and all that stands around it; None where it is not one."""
    ((text,),) = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {condition}\n"]).fetchall()
    document = json.loads(text)
    if document["error"] or len(document["statements"]) != 1:
        return {}, None
    node = document["statements"][0]["node"]
    listed = node.pop("select_list", [])
    return (listed[0], node) if len(listed) == 1 else ({}, None)


def _parts(expression: Any) -> Iterator[tuple[str, set[str]]]:
    """The class of every part of an expression, and the names of functions that it may call."""
    if isinstance(expression, list):
        for item in expression:
            yield from _parts(item)
    elif isinstance(expression, dict):
        names = {str(expression.get("function_name", "")), *map(str, expression.get("column_names", []))}
        yield str(expression.get("class", "")), {name.lower() for name in names}
        for item in expression.values():
            yield from _parts(item)
