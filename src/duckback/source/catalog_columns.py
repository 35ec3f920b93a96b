"""What DuckDB tells of a column only in its text of the table: a collation, and whether it is generated."""

import re

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
    expression, cast = str(column.default), f" AS {column.type})"
    if expression.startswith("CAST(") and expression.endswith(cast):
        return expression.removeprefix("CAST(").removesuffix(cast)
    return expression
