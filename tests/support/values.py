"""Hypothesis strategies: types that a backup holds exactly, and values of them as SQL."""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
from hypothesis import strategies as st

from duckback.source.sql import identifier, literal

Tags = Callable[[str, int], str]
"""From SQL of a value and a depth: SQL of the tags of all unions inside it."""

IS_2 = duckdb.__version__.startswith("2.")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@dataclass(frozen=True)
class Typed:
    """A type's SQL, and a strategy of expressions of that type."""

    sql: str
    values: st.SearchStrategy[str]
    tags: Tags | None = None

    @property
    def or_null(self) -> st.SearchStrategy[str]:
        """NULL among them, as often as not rarely."""
        return st.one_of(st.just(f"NULL::{self.sql}"), self.values, self.values)


def _leaf(sql: str, texts: st.SearchStrategy[str], *extremes: str) -> Typed:
    every = st.one_of(st.sampled_from(extremes), texts) if extremes else texts
    return Typed(sql, every.map(lambda text: f"({text_sql(text)})::{sql}"))


def text_sql(text: str) -> str:
    """SQL of a text; DuckDB 1.5 does not read a NUL in a literal."""
    return " || chr(0) || ".join(map(literal, text.split("\0")))


def _integers(sql: str, low: int, high: int) -> Typed:
    return _leaf(sql, st.integers(low, high).map(str), str(low), str(high), "0")


def _decimals(width: int, scale: int) -> Typed:
    most = 10**width - 1
    texts = st.integers(-most, most).map(
        lambda i: f"{'-' * (i < 0)}{abs(i) // 10**scale}.{abs(i) % 10**scale:0{scale}d}"
    )
    return _leaf(f"DECIMAL({width},{scale})", texts)


def _moments(sql: str, *extremes: str) -> Typed:
    texts = st.datetimes().map(lambda moment: moment.isoformat(" "))
    return _leaf(sql, texts, *extremes)


_INTERVALS = st.builds(
    "to_months({}) + to_days({}) + to_microseconds({})".format,
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63) + 1, 2**63 - 1),
).flatmap(lambda text: st.sampled_from([text, "INTERVAL 1 MONTH", "INTERVAL 30 DAYS", "to_microseconds(-1)"]))
_OFFSET_TIMES = st.builds("{}{:+03d}:{:02d}".format, st.times().map(str), st.integers(-15, 15), st.integers(0, 59))
_SHAPES = st.sampled_from(
    ["POINT(1 2)", "POINT EMPTY", "POINT Z(1 2 3)", "POINT ZM(1 2 3 4)", "LINESTRING(0 0, 1 1)",
     "POLYGON((0 0, 1 0, 1 1, 0 0))", "MULTIPOINT(1 2, 3 4)", "GEOMETRYCOLLECTION(POINT(1 2), LINESTRING EMPTY)"]
)  # fmt: skip
_FLOATS = ("nan", "-nan", "inf", "-inf", "0.0", "-0.0")
_LABELS = ["", "it's", 'a"b', "🦆", "NULL"]

LEAVES = [
    _leaf("BOOLEAN", st.sampled_from(["true", "false"])),
    _integers("TINYINT", -(2**7), 2**7 - 1),
    _integers("SMALLINT", -(2**15), 2**15 - 1),
    _integers("INTEGER", -(2**31), 2**31 - 1),
    _integers("BIGINT", -(2**63), 2**63 - 1),
    _integers("UTINYINT", 0, 2**8 - 1),
    _integers("USMALLINT", 0, 2**16 - 1),
    _integers("UINTEGER", 0, 2**32 - 1),
    _integers("UBIGINT", 0, 2**64 - 1),
    _leaf("FLOAT", st.floats(width=32, allow_nan=False).map(str), *_FLOATS, "1e-45", "3.4028235e38"),
    _leaf("DOUBLE", st.floats(allow_nan=False).map(str), *_FLOATS, "5e-324", "2.2250738585072009e-308"),
    _decimals(4, 1),
    _decimals(9, 9),
    _decimals(18, 3),
    _decimals(38, 10),
    _leaf("VARCHAR", TEXTS, "", "\0", "a\0b", "NULL", "🦆" * 20, "\ufeff", "e\u0301", "[1, 2]", "null"),
    _leaf("BLOB", st.binary(max_size=20).map(lambda data: "".join(f"\\x{byte:02X}" for byte in data)), "", "\\x00"),
    _leaf("UUID", st.uuids().map(str), "00000000-0000-0000-0000-000000000000", "f" * 8 + "-ffff" * 3 + "-" + "f" * 12),
    _leaf("DATE", st.dates().map(str), "infinity", "-infinity", "5877642-06-25 (BC)", "5881580-07-10", "0001-01-01 (BC)"),
    _leaf("TIME", st.times().map(str), "00:00:00", "24:00:00", "23:59:59.999999"),
    _leaf("TIME_NS", st.times().map(str), "23:59:59.999999999"),
    _moments(
        "TIMESTAMP", "infinity", "-infinity", "290309-12-22 (BC) 00:00:00", "294247-01-10 04:00:54.775806", "1969-12-31 23:59:59.999999"
    ),
    _moments("TIMESTAMPTZ", "infinity", "-infinity", "290309-12-22 (BC) 00:00:00+00", "294247-01-10 04:00:54.775806+00"),
    _moments("TIMESTAMP_S", "infinity", "-infinity"),
    _moments("TIMESTAMP_MS", "infinity", "-infinity", "1969-12-31 23:59:59.999"),
    _leaf("TIMESTAMP_NS", st.just("2026-03-07 12:00:00.123456789"), "infinity", "-infinity", "1677-09-22 00:00:00"),
    _leaf("BIT", st.text("01", min_size=1, max_size=20)),
    _leaf(f"ENUM({', '.join(map(literal, _LABELS))})", st.sampled_from(_LABELS)),
    _integers("HUGEINT", -(2**127), 2**127 - 1),
    _integers("UHUGEINT", 0, 2**128 - 1),
    _integers("BIGNUM", -(10**60), 10**60),
    _leaf("TIMETZ", _OFFSET_TIMES, "24:00:00-15:59:59", "00:00:00+15:59:59", "23:59:59.999999+00"),
    Typed("INTERVAL", _INTERVALS),
    _leaf("JSON", st.sampled_from(['{"a": [1, null]}', "null", '"🦆"', "1.50", '{"a":1,"a":2}', " [ ] "])),
    _leaf("GEOMETRY", _SHAPES),
    _leaf("GEOMETRY('OGC:CRS84')", _SHAPES),
    *([_leaf("TIMESTAMPTZ_NS", st.just("2026-03-07 12:00:00.123456789+02"), "infinity", "-infinity")] if IS_2 else []),
]  # fmt: skip

_PLAIN = [leaf for leaf in LEAVES if leaf.sql not in {"BIT", "JSON"} and not leaf.sql.startswith("GEOMETRY")]


@st.composite
def _variants(draw: st.DrawFn) -> str:
    leaf = draw(st.sampled_from(_PLAIN))
    inside = draw(leaf.or_null)
    around = draw(st.sampled_from(["{}", "[{}]", "[{0}, {0}]", "{{'a': {}, 'b c': 'x'}}", "{{'a': [{{'b': {}}}]}}"]))
    return f"({around.format(inside)})::VARIANT"


VARIANT = Typed("VARIANT", st.one_of(_variants(), st.just("[]::INTEGER[]::VARIANT")))
NULLS = Typed('"NULL"', st.just("NULL"))

_MEMBERS = st.lists(st.sampled_from(["a", "b c", 'd"e', "f'g", "ü", "item0"]), min_size=1, max_size=3, unique=True)


def _each(tags: Tags | None, values: str, depth: int) -> str:
    item = f"x{depth}"
    return f"list_transform({values}, lambda {item}: {tags(item, depth + 1)})" if tags else "NULL"


def _list_of(of: Typed) -> Typed:
    sql = f"{of.sql}[]"
    values = st.lists(of.or_null, max_size=3).map(lambda items: f"[{', '.join(items)}]::{sql}")
    return Typed(sql, values, of.tags and (lambda value, depth: _each(of.tags, value, depth)))


def _array_of(of: Typed) -> Typed:
    sql = f"{of.sql}[2]"
    values = st.tuples(of.or_null, of.or_null).map(lambda items: f"[{', '.join(items)}]::{sql}")
    return Typed(sql, values, of.tags and (lambda value, depth: _each(of.tags, value, depth)))


def _map_to(of: Typed, key: str = "VARCHAR", keys: st.SearchStrategy[str] = TEXTS) -> Typed:
    sql = f"MAP({key}, {of.sql})"
    pairs = st.dictionaries(keys, of.or_null, max_size=3)
    values = pairs.map(
        lambda d: f"MAP {{{', '.join(f'({text_sql(name)})::{key}: {item}' for name, item in d.items())}}}::{sql}"
    )
    return Typed(sql, values, of.tags and (lambda value, depth: _each(of.tags, f"map_values({value})", depth)))


def _wide_map_to(of: Typed) -> Typed:
    return _map_to(of, "HUGEINT", st.integers(-(2**127), 2**127 - 1).map(str))


@st.composite
def _struct_of(draw: st.DrawFn, of: st.SearchStrategy[Typed]) -> Typed:
    members = {name: draw(of) for name in draw(_MEMBERS)}
    sql = f"STRUCT({', '.join(f'{identifier(name)} {member.sql}' for name, member in members.items())})"
    # A row of unnamed values, cast: names are the type's affair.
    values = st.tuples(*(member.or_null for member in members.values()))
    return Typed(sql, values.map(lambda items: f"row({', '.join(items)})::{sql}"), _tags_inside(members))


def _tags_inside(members: dict[str, Typed], function: str = "struct_extract") -> Tags | None:
    found = {name: member.tags for name, member in members.items() if member.tags is not None}
    if not found:
        return None
    return lambda value, depth: (
        "["
        + ", ".join(
            f"({tags(f'{function}({value}, {literal(name)})', depth)})::VARCHAR" for name, tags in found.items()
        )
        + "]"
    )


@st.composite
def _union_of(draw: st.DrawFn, of: st.SearchStrategy[Typed]) -> Typed:
    members = {name: draw(of) for name in draw(_MEMBERS)}
    sql = f"UNION({', '.join(f'{identifier(name)} {member.sql}' for name, member in members.items())})"
    items = st.one_of(*(st.tuples(st.just(identifier(name)), member.or_null) for name, member in members.items()))
    values = items.map(lambda item: f"union_value({item[0]} := {item[1]})::{sql}")
    inside = _tags_inside(members, "union_extract")
    return Typed(
        sql,
        values,
        lambda value, depth: f"concat_ws('/', union_tag({value})::VARCHAR, {inside(value, depth) if inside else 0})",
    )


@st.composite
def _tuple_of(draw: st.DrawFn, of: st.SearchStrategy[Typed]) -> Typed:
    members = draw(st.lists(of, min_size=1, max_size=3))
    sql = f"TUPLE({', '.join(member.sql for member in members)})"
    values = st.tuples(*(member.or_null for member in members))
    return Typed(sql, values.map(lambda items: f"row({', '.join(items)})::{sql}"))


def _nested(of: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    nests = [of.map(_list_of), of.map(_array_of), of.map(_map_to), of.map(_wide_map_to), _struct_of(of), _union_of(of)]
    return st.one_of(*nests, *([_tuple_of(of)] if IS_2 else []))


_LEAF = st.sampled_from([*LEAVES, VARIANT])
_ONCE = _nested(_LEAF)
_TWICE = _nested(_ONCE)
TYPES = st.one_of(_LEAF, _LEAF, _ONCE, _TWICE, _nested(_TWICE))
"""Types of up to three levels of nesting."""

KINDS = {
    *(str(duckdb.sqltype(leaf.sql).id) for leaf in [*LEAVES, VARIANT, NULLS]),
    *{"list", "array", "map", "struct", "union"},
    *({"tuple"} if IS_2 else set()),
}
"""DuckDB's ids of every kind of type that is generated here."""
