"""SQL that turns values into what Parquet can hold, and back, at any depth of nesting.

`model.column_types` says which types need it. Parquet as DuckDB writes it keeps neither 128-bit integers nor the
offset of a TIMETZ, nor the days of an INTERVAL, nor the tag of a UNION.
"""

from collections.abc import Callable

from duckback.model.column_types import ColumnType, Storage, is_stored, storage_of
from duckback.source.sql import identifier, literal

_REWRITTEN = (
    Storage.TEXT,
    Storage.PARTS,
    Storage.TAGGED,
    Storage.POSITIONS,
    Storage.WKB,
    Storage.NATIVE,
)
_SPLIT = f"{10**19}::UHUGEINT"
_MICROS = {"hour": 3_600_000_000, "minute": 60_000_000, "microsecond": 1}

MONTHS = "datepart('year', {0}) * 12 + datepart('month', {0})"
"""SQL of the months of an INTERVAL, which DuckDB keeps apart from its days and its microseconds."""

DAYS = "datepart('day', {0})"
"""SQL of its days."""

MICROS = " + ".join(f"datepart('{part}', {{0}}) * {size}" for part, size in _MICROS.items())
"""SQL of its microseconds."""


def stored(value: str, of: ColumnType, depth: int = 0) -> str:
    """The expression to write for a value.

    Args:
        value: SQL of a value of the type; it may appear several times in the result.
        of: its type.
        depth: of the lambda around it, which names the parameter of the next.
    """
    if not is_stored(of, *_REWRITTEN):
        return value
    return _WRITE.get(storage_of(of), _container_to_parquet)(value, of, depth)


def restored(value: str, of: ColumnType, depth: int = 0) -> str:
    """The expression that gives the value back, of exactly its type, from what `stored` wrote and Parquet returned."""
    if is_stored(of, *_REWRITTEN):
        value = _READ.get(storage_of(of), _container_from_parquet)(value, of, depth)
    return f"({value})::{of.sql}"


def _as_text(value: str, of: ColumnType, _depth: int) -> str:
    if of.id != "uhugeint":
        return f"({value})::VARCHAR"
    # DuckDB's own cast of a large one takes a tenth of a millisecond: its halves, which are small, take 4 µs.
    small = f"({value})::HUGEINT::VARCHAR"
    halves = f"(({value}) // {_SPLIT})::HUGEINT::VARCHAR || lpad((({value}) % {_SPLIT})::UBIGINT::VARCHAR, 19, '0')"
    return f"CASE WHEN ({value}) < {1 << 127}::UHUGEINT THEN {small} ELSE {halves} END"


def _from_text(value: str, _of: ColumnType, _depth: int) -> str:
    return value


def _as_parts(value: str, _of: ColumnType, _depth: int) -> str:
    fields = {
        "months": f"({MONTHS.format(value)})::INTEGER",
        "days": f"({DAYS.format(value)})::INTEGER",
        "micros": f"({MICROS.format(value)})::BIGINT",
    }
    return f"CASE WHEN {value} IS NOT NULL THEN {_struct(fields)} END"


def _from_parts(value: str, _of: ColumnType, _depth: int) -> str:
    months, days, micros = (_field(value, name) for name in ("months", "days", "micros"))
    return f"to_months({months}) + to_days({days}) + to_microseconds({micros})"


def _as_tagged(value: str, of: ColumnType, depth: int) -> str:
    members = {name: stored(f"union_extract({value}, {literal(name)})", member, depth) for name, member in of.members}
    fields = {"tag": f"union_tag({value})::VARCHAR", "members": _struct(members)}
    return _unless(f"union_tag({value}) IS NULL", _struct(fields))


def _from_tagged(value: str, of: ColumnType, depth: int) -> str:
    members = _field(value, "members")
    tags = ", ".join(literal(name) for name, _ in of.members)
    values = ", ".join(
        f"union_value({identifier(name)} := {restored(_field(members, name), member, depth)})::{of.sql}"
        for name, member in of.members
    )
    return f"list_extract([{values}], list_position([{tags}], {_field(value, 'tag')}))"


def _as_positions(value: str, of: ColumnType, depth: int) -> str:
    members = enumerate((member for _, member in of.members), start=1)
    fields = {f"_{n}": stored(f"struct_extract_at({value}, {n})", member, depth) for n, member in members}
    return _unless(f"{value} IS NULL", _struct(fields))


def _from_positions(value: str, of: ColumnType, depth: int) -> str:
    members = enumerate((member for _, member in of.members), start=1)
    fields = (restored(_field(value, f"_{n}"), member, depth) for n, member in members)
    return _unless(f"{value} IS NULL", f"row({', '.join(fields)})")


def _as_wkb(value: str, _of: ColumnType, _depth: int) -> str:
    return f"ST_AsWKB({value})"


def _from_wkb(value: str, _of: ColumnType, _depth: int) -> str:
    return f"ST_GeomFromWKB({value})"


def _container_to_parquet(value: str, of: ColumnType, depth: int) -> str:
    return _inside(value, of, depth, stored)


def _container_from_parquet(value: str, of: ColumnType, depth: int) -> str:
    return _inside(value, of, depth, restored)


_Change = Callable[[str, ColumnType, int], str]
_WRITE: dict[Storage | None, _Change] = {
    Storage.TEXT: _as_text,
    Storage.PARTS: _as_parts,
    Storage.TAGGED: _as_tagged,
    Storage.POSITIONS: _as_positions,
    Storage.WKB: _as_wkb,
    Storage.NATIVE: _as_text,
}
_READ: dict[Storage | None, _Change] = {
    Storage.TEXT: _from_text,
    Storage.PARTS: _from_parts,
    Storage.TAGGED: _from_tagged,
    Storage.POSITIONS: _from_positions,
    Storage.WKB: _from_wkb,
    Storage.NATIVE: _from_text,
}


def _inside(value: str, of: ColumnType, depth: int, change: _Change) -> str:
    """The same container with each member changed."""
    match of.id:
        case "list" | "array":
            return _each(value, of.members[0][1], depth, change)
        case "map":
            (_, key), (_, item) = of.members
            keys = _each(f"map_keys({value})", key, depth, change)
            return _unless(f"{value} IS NULL", f"map({keys}, {_each(f'map_values({value})', item, depth, change)})")
        case _:
            fields = {name: change(_field(value, name), member, depth) for name, member in of.members}
            return _unless(f"{value} IS NULL", _struct(fields))


def _each(values: str, of: ColumnType, depth: int, change: _Change) -> str:
    item = f"item{depth}"
    return f"list_transform({values}, lambda {item}: {change(item, of, depth + 1)})"


def _unless(condition: str, value: str) -> str:
    # CASE itself does not give arrays on DuckDB 1.5; what is behind the end of a list is NULL.
    return f"list_extract([{value}], CASE WHEN {condition} THEN 2 ELSE 1 END)"


def _struct(fields: dict[str, str]) -> str:
    return f"struct_pack({', '.join(f'{identifier(name)} := {value}' for name, value in fields.items())})"


def _field(value: str, name: str) -> str:
    return f"struct_extract({value}, {literal(name)})"
