"""Fingerprints of rows: two 64-bit hashes a row, summed exactly, so that order does not matter and duplicates count.

`hash()` cannot tell some values apart (0.0 from -0.0, NULL from an empty list), so what it is blind to is hashed
beside the value. The second hash takes the columns the other way round, because DuckDB combines column hashes as
`a * C XOR b`, which is weak for one order alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import duckdb

from duckback.model.catalog import Column
from duckback.model.column_types import ColumnType, Storage, is_stored
from duckback.model.manifest import Fingerprint
from duckback.source.encoding import DAYS, MICROS, MONTHS
from duckback.source.sql import identifier, literal
from duckback.source.types import parse_type

CHUNK_ROWS = 122_880
"""Rows of a DuckDB row group; a chunk of the fingerprint is as many rowids."""

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


@dataclass(frozen=True)
class _Look:
    """How values are looked at: so deep inside their column, and whether 0.0 and -0.0 are one value."""

    depth: int = 0
    zeros_alike: bool = False

    @property
    def inside(self) -> "_Look":
        return replace(self, depth=self.depth + 1)


def row_hash(columns: Sequence[Column], *, zeros_alike: bool = False) -> RowHash:
    """The hashes of a row of these columns; every value is cast to its table's type, so files hash like tables.

    Args:
        columns: of the relation.
        zeros_alike: take 0.0 and -0.0 for one value.
    """
    values: list[str] = []
    blind: list[str] = []
    for column in columns:
        of = parse_type(column.type)
        value = f"{identifier(column.name)}::{column.type}"
        # One VARIANT can be laid out in several ways, and hashes as it is laid out.
        values.append(f"({value})::VARCHAR" if is_stored(of, Storage.NATIVE) else value)
        blind += _discriminators(value, of, _Look(zeros_alike=zeros_alike))
    if not values:
        return RowHash("0", "0")
    first = f"hash({', '.join(values + blind)})"
    if len(values) + len(blind) == 1:
        return RowHash(first, f"hash(concat({_SALT}, ({values[0]})::VARCHAR))")
    return RowHash(first, f"hash({', '.join(reversed(values + blind))})")


def _discriminators(value: str, of: ColumnType, look: _Look) -> Iterator[str]:
    """Expressions that differ where the hash of `value` does not though the values do."""
    find = _BLIND.get(of.id)
    if find is not None:
        yield from find(value, of, look)


def _of_float(value: str, _of: ColumnType, look: _Look) -> Iterator[str]:
    # The sign of a NaN is no part of the value: DuckDB's constant segments do not keep it.
    zero = f" AND {value} <> 0" if look.zeros_alike else ""
    yield f"signbit({value}) AND NOT isnan({value}){zero}"


def _of_interval(value: str, _of: ColumnType, _look: _Look) -> Iterator[str]:
    # One month, one day and 24 hours hash alike, and 30 days like 720 hours.
    yield from (part.format(value) for part in (MONTHS, DAYS, MICROS))


def _of_variant(value: str, _of: ColumnType, _look: _Look) -> Iterator[str]:
    yield f"hash(variant_normalize({value}))"


def _of_list(value: str, of: ColumnType, look: _Look) -> Iterator[str]:
    yield f"len({value})"
    yield from _inside(value, of.members[0][1], look)


def _of_map(value: str, of: ColumnType, look: _Look) -> Iterator[str]:
    yield f"cardinality({value})"
    for function, (_, member) in zip(("map_keys", "map_values"), of.members, strict=True):
        yield from _inside(f"{function}({value})", member, look)


def _of_struct(value: str, of: ColumnType, look: _Look) -> Iterator[str]:
    yield f"({value}) IS NULL"
    for name, member in of.members:
        yield from _discriminators(f"struct_extract({value}, {literal(name)})", member, look)


def _of_tuple(value: str, of: ColumnType, look: _Look) -> Iterator[str]:
    yield f"({value}) IS NULL"
    for number, (_, member) in enumerate(of.members, start=1):
        yield from _discriminators(f"struct_extract_at({value}, {number})", member, look)


def _of_union(value: str, of: ColumnType, look: _Look) -> Iterator[str]:
    yield f"union_tag({value})::VARCHAR"
    for name, member in of.members:
        yield from _discriminators(f"union_extract({value}, {literal(name)})", member, look)


_BLIND: dict[str, Callable[[str, ColumnType, _Look], Iterator[str]]] = {
    "float": _of_float,
    "double": _of_float,
    "interval": _of_interval,
    "variant": _of_variant,
    "list": _of_list,
    "array": _of_list,
    "map": _of_map,
    "struct": _of_struct,
    "tuple": _of_tuple,
    "union": _of_union,
}


def _inside(values: str, member: ColumnType, look: _Look) -> Iterator[str]:
    item = f"item{look.depth}"
    for expression in _discriminators(item, member, look.inside):
        yield f"list_transform({values}, lambda {item}: {expression})"


def grouped_fingerprints(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], group: str
) -> list[tuple[int, Fingerprint]]:
    """Fingerprints of a relation's rows by the value of an integer expression, ascending."""
    return [(number, found) for number, found, _ in measured_groups(con, relation, columns, group, "0")]


def fingerprint_of(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], *, zeros_alike: bool = False
) -> Fingerprint:
    """The fingerprint of a relation's rows.

    Args:
        con: any connection that sees it.
        relation: whose rows.
        columns: as the table has them.
        zeros_alike: take 0.0 and -0.0 for one value; a manifest's fingerprints never do.
    """
    query = f"SELECT {row_hash(columns, zeros_alike=zeros_alike).aggregates} FROM {relation}"
    ((count, sum1, sum2),) = con.execute(query).fetchall()
    return Fingerprint(rows=count, sum1=sum1, sum2=sum2)


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
