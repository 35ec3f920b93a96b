"""DuckDB's description of a type as our tree of it."""

from collections.abc import Iterable

import duckdb
from duckdb import sqltypes

from duckback.model.catalog import Column
from duckback.model.column_types import ColumnType

_MEMBERS_OF = {"list", "array", "struct", "map", "union", "tuple"}


def parse_type(text: str) -> ColumnType:
    """The tree of a type given as SQL text (DuckDB's own parser reads it)."""
    return _tree(duckdb.sqltype(text))


def may_hold_floats(columns: Iterable[Column]) -> bool:
    """Whether any of the columns may have a FLOAT or DOUBLE in it, at any depth, by the words of its type alone."""
    # Of a manifest that is not trusted nothing is parsed before the connection is shut in.
    return any(word in column.type.upper() for column in columns for word in ("FLOAT", "DOUBLE"))


def _tree(of: sqltypes.DuckDBPyType) -> ColumnType:
    members: tuple[tuple[str, ColumnType], ...] = ()
    if of.id in _MEMBERS_OF:
        members = tuple((name, _tree(child)) for name, child in of.children if isinstance(child, sqltypes.DuckDBPyType))
    if of.id == "union":
        # The first is the tag, which has no name.
        members = members[1:]
    return ColumnType(id=str(of.id), sql=str(of), members=members)
