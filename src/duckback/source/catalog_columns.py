"""What DuckDB tells of a column only in its text of the table: a collation, and whether it is generated."""

import re

import duckdb

from duckback.model.catalog import Column
from duckback.source.sql import identifier


def completed(column: Column, sql: str) -> Column:
    """The column with its collation, or with the expression that generates it.

    No catalogue function of every release tells either. Should this misread one, the rehearsal sees that the table
    made from it is another.

    Args:
        column: as `duckdb_columns()` has it.
        sql: of its table.
    """
    name = f"(?:{re.escape(identifier(column.name))}|{re.escape(column.name)})"
    start = rf"[(,] ?{name} {re.escape(column.type)} "
    if re.search(rf"{start}GENERATED ALWAYS AS\(", sql):
        return column.model_copy(update={"default": None, "generated": _without_outer_cast(column)})
    collated = re.search(rf"{start}COLLATE ([\w.]+)", sql)
    return column.model_copy(update={"collation": collated[1]}) if collated else column


def _without_outer_cast(column: Column) -> str:
    # DuckDB wraps the expression in a cast to the column's type; written as told, every restore would add another.
    expression = str(column.default)
    inner, cast, type_ = expression.removesuffix(")").rpartition(" AS ")
    if cast and expression.startswith("CAST(") and expression.endswith(")") and _is_named(column.type, type_):
        return inner.removeprefix("CAST(")
    return expression


def _is_named(type_: str, words: str) -> bool:
    """Whether these words are the type's; in a cast DuckDB words some otherwise than in `duckdb_columns()`."""
    if words in {type_, identifier(type_)}:
        return True
    try:
        return str(duckdb.sqltype(words)) == str(duckdb.sqltype(type_))
    except duckdb.Error:  # a type of the database's own, in other words than its name
        return False
