"""Fingerprints of rows: two 64-bit hashes a row, summed exactly, so that order does not matter and duplicates count.

`hash()` cannot tell some values apart (0.0 from -0.0, NULL from an empty list), so what it is blind to is hashed
beside the value. The second hash takes the columns the other way round, because DuckDB combines column hashes as
`a * C XOR b`, which is weak for one order alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from duckback.model.catalog import Column
from duckback.model.column_types import ColumnType
from duckback.model.manifest import Fingerprint
from duckback.source.sql import identifier, literal
from duckback.source.types import parse_type

CHUNK_ROWS = 122_880
"""Rows of a DuckDB row group; a chunk of the fingerprint is as many rowids."""

_FLOATS = {"float", "double"}
_SALT = literal("duckback:")


@dataclass(frozen=True)
class RowHash:
    """Two SQL expressions over a relation that has these columns; both give UBIGINT."""

    first: str
    second: str

    @property
    def aggregates(self) -> str:
        """The select list of a fingerprint: rows, sum1, sum2."""
        return f"count(*) AS rows, coalesce(sum({self.first}), 0) AS sum1, coalesce(sum({self.second}), 0) AS sum2"


def row_hash(columns: Sequence[Column]) -> RowHash:
    """The hashes of a row of these columns; every value is cast to its table's type, so files hash like tables."""
    values: list[str] = []
    blind: list[str] = []
    for column in columns:
        value = f"{identifier(column.name)}::{column.type}"
        values.append(value)
        blind += _discriminators(value, parse_type(column.type), depth=0)
    first = f"hash({', '.join(values + blind)})"
    if len(values) + len(blind) == 1:
        return RowHash(first, f"hash(concat({_SALT}, ({values[0]})::VARCHAR))")
    return RowHash(first, f"hash({', '.join(reversed(values + blind))})")


def _discriminators(value: str, of: ColumnType, depth: int) -> Iterator[str]:
    """Expressions that differ where the hash of `value` does not though the values do."""
    if of.id in _FLOATS:
        # The sign of a NaN is no part of the value: DuckDB's constant segments do not keep it.
        yield f"signbit({value}) AND NOT isnan({value})"
    elif of.id in {"list", "array"}:
        yield f"len({value})"
        yield from _inside(value, of.members[0][1], depth)
    elif of.id == "map":
        yield f"cardinality({value})"
        for function, (_, member) in zip(("map_keys", "map_values"), of.members, strict=True):
            yield from _inside(f"{function}({value})", member, depth)
    elif of.id == "struct":
        yield f"({value}) IS NULL"
        for name, member in of.members:
            yield from _discriminators(f"struct_extract({value}, {literal(name)})", member, depth)


def _inside(values: str, member: ColumnType, depth: int) -> Iterator[str]:
    item = f"item{depth}"
    for expression in _discriminators(item, member, depth + 1):
        yield f"list_transform({values}, lambda {item}: {expression})"


def grouped_fingerprints(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], group: str
) -> list[tuple[int, Fingerprint]]:
    """Fingerprints of a relation's rows by the value of an integer expression, ascending."""
    return [(number, found) for number, found, _ in measured_groups(con, relation, columns, group, "0")]


def measured_groups(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], group: str, measure: str
) -> list[tuple[int, Fingerprint, float]]:
    """The same, with each group's average of another expression, in the same scan."""
    rows = con.execute(
        f"SELECT {group} AS duckback_group, {row_hash(columns).aggregates}, avg({measure}) FROM {relation}"
        " GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return [(number, Fingerprint(rows=count, sum1=s1, sum2=s2), mean) for number, count, s1, s2, mean in rows]


def total(fingerprints: Sequence[Fingerprint]) -> Fingerprint:
    """The fingerprint of all these rows together."""
    return sum(fingerprints, Fingerprint())
