"""Hypothesis strategies: types that a backup holds exactly, and values of them as SQL."""

from dataclasses import dataclass

from hypothesis import strategies as st

from duckback.source.sql import identifier, literal

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@dataclass(frozen=True)
class Typed:
    """A type's SQL, and a strategy of expressions of that type."""

    sql: str
    values: st.SearchStrategy[str]

    @property
    def or_null(self) -> st.SearchStrategy[str]:
        """NULL among them, as often as not rarely."""
        return st.one_of(st.just(f"NULL::{self.sql}"), self.values, self.values)


def _leaf(sql: str, texts: st.SearchStrategy[str], *extremes: str) -> Typed:
    every = st.one_of(st.sampled_from(extremes), texts) if extremes else texts
    return Typed(sql, every.map(lambda text: f"{literal(text)}::{sql}"))


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
]  # fmt: skip

_MEMBERS = st.lists(st.sampled_from(["a", "b c", 'd"e', "f'g", "ü", "item0"]), min_size=1, max_size=3, unique=True)


def _list_of(of: Typed) -> Typed:
    sql = f"{of.sql}[]"
    return Typed(sql, st.lists(of.or_null, max_size=3).map(lambda items: f"[{', '.join(items)}]::{sql}"))


def _array_of(of: Typed) -> Typed:
    sql = f"{of.sql}[2]"
    return Typed(sql, st.tuples(of.or_null, of.or_null).map(lambda items: f"[{', '.join(items)}]::{sql}"))


def _map_to(of: Typed) -> Typed:
    sql = f"MAP(VARCHAR, {of.sql})"
    pairs = st.dictionaries(TEXTS, of.or_null, max_size=3)
    return Typed(
        sql, pairs.map(lambda d: f"MAP {{{', '.join(f'{literal(key)}: {item}' for key, item in d.items())}}}::{sql}")
    )


@st.composite
def _struct_of(draw: st.DrawFn, of: st.SearchStrategy[Typed]) -> Typed:
    members = {name: draw(of) for name in draw(_MEMBERS)}
    sql = f"STRUCT({', '.join(f'{identifier(name)} {member.sql}' for name, member in members.items())})"
    # A row of unnamed values, cast: names are the type's affair.
    values = st.tuples(*(member.or_null for member in members.values()))
    return Typed(sql, values.map(lambda items: f"row({', '.join(items)})::{sql}"))


def _nested(of: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(of.map(_list_of), of.map(_array_of), of.map(_map_to), _struct_of(of))


_LEAF = st.sampled_from(LEAVES)
_ONCE = _nested(_LEAF)
TYPES = st.one_of(_LEAF, _LEAF, _ONCE, _nested(_ONCE))
"""Types of up to two levels of nesting."""
