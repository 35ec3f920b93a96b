"""Programs that know nothing of Duckback read the objects: every type that is stored as it is gives the same rows."""

import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.place import Place
from support.snapshots import exported, manifest_of, memory_database, rows

from duckback.model.column_types import STORAGE, Storage

HAS_NS_ZONES = bool(
    duckdb.connect().execute("SELECT 1 FROM duckdb_types() WHERE lower(logical_type) = 'timestamptz_ns'").fetchall()
)
_MICROS, _NANOS = "epoch_us({0})", "epoch_ns({0})"
_MOMENTS = ("'1600-02-29 23:59:59.999999'", "'2026-11-26 12:00:00.000001'", "'9999-12-31 23:59:59.999999'")
_NS_MOMENTS = ("'1700-02-28 23:59:59.999999999'", "'2026-11-26 12:00:00.000000001'")

# By kind: the type, values, and the expression for DuckDB's own number of a value where Python has no type for it.
CASES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "boolean": ("BOOLEAN", ("true", "false"), "{0}"),
    "tinyint": ("TINYINT", ("-128", "127"), "{0}"),
    "smallint": ("SMALLINT", ("-32768", "32767"), "{0}"),
    "integer": ("INTEGER", ("-2147483648", "2147483647", "0"), "{0}"),
    "bigint": ("BIGINT", ("-9223372036854775808", "9223372036854775807"), "{0}"),
    "utinyint": ("UTINYINT", ("0", "255"), "{0}"),
    "usmallint": ("USMALLINT", ("0", "65535"), "{0}"),
    "uinteger": ("UINTEGER", ("4294967295", "0", "2147483648"), "{0}"),
    "ubigint": ("UBIGINT", ("0", "18446744073709551615"), "{0}"),
    "float": ("FLOAT", ("'nan'", "'-inf'", "1.17549435e-38", "-0.0", "3.4028235e38"), "{0}"),
    "double": ("DOUBLE", ("'nan'", "'inf'", "5e-324", "-0.0", "0.1"), "{0}"),
    "decimal": ("DECIMAL(38, 10)", ("'-9999999999999999999999999999.9999999999'", "'0.0000000001'"), "{0}"),
    "varchar": ("VARCHAR", ("''", "'🦆 ü'", "chr(0)", "repeat('x', 5000)"), "{0}"),
    "blob": ("BLOB", ("''", r"'\x00\xFF'"), "{0}"),
    "uuid": ("UUID", ("'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-fffffffffffe'"), "{0}"),
    "date": (
        "DATE",
        ("'0001-01-01'", "'1969-12-31'", "'290000-01-01'", "'5877642-06-25 (BC)'", "'5881580-07-10'"),
        "{0} - DATE '1970-01-01'",
    ),
    "time": ("TIME", ("'00:00:00'", "'23:59:59.999999'"), _MICROS),
    "time_ns": ("TIME_NS", ("'00:00:00'", "'23:59:59.999999999'"), _NANOS),
    "timestamp": ("TIMESTAMP", _MOMENTS, _MICROS),
    "timestamp_ns": ("TIMESTAMP_NS", _NS_MOMENTS, _NANOS),
    "timestamp with time zone": ("TIMESTAMPTZ", _MOMENTS, _MICROS),
    "timestamptz_ns": ("TIMESTAMPTZ_NS", _NS_MOMENTS, _NANOS),
    "list": ("INTEGER[][]", ("[]", "[[1, NULL], NULL, []]", "[[-2147483648, 2147483647]]"), "{0}"),
    "struct": (
        "STRUCT(a INTEGER, b STRUCT(c VARCHAR))",
        ("{'a': 1, 'b': {'c': 'x'}}", "{'a': NULL, 'b': NULL}"),
        "{0}",
    ),
    "map": ("MAP(VARCHAR, INTEGER)", ("MAP {}", "MAP {'a': 1, 'b': NULL}"), "map_entries({0})"),
}


def test_every_type_that_is_stored_as_it_is_is_tried() -> None:
    assert CASES.keys() == {kind for kind, storage in STORAGE.items() if storage is Storage.AS_IS}


@pytest.mark.parametrize("kind", [kind for kind in CASES if kind != "timestamptz_ns" or HAS_NS_ZONES])
def test_pyarrow_and_polars_read_the_same_values(kind: str, tmp_path: Path) -> None:
    sql, values, number = CASES[kind]
    inserted = ", ".join(f"(({value})::{sql})" for value in (*values, "NULL"))
    with memory_database(tmp_path, f"CREATE TABLE t (x {sql})", f"INSERT INTO t VALUES {inserted}") as con:
        expected = [_plain(value) for (value,) in rows(con, f"SELECT {number.format('x')} FROM t")]
        _, files = manifest_of(*exported(con, tmp_path))
    (path,) = files.values()
    assert len(expected) == len(values) + 1
    assert [_plain(value) for value in _by_pyarrow(path)] == expected
    assert [_plain(value) for value in _by_polars(path)] == [
        value.bytes if isinstance(value, uuid.UUID) else value for value in expected
    ]


def _by_pyarrow(path: Path) -> list[Any]:
    column = pq.read_table(path)["x"].combine_chunks()
    of = column.type
    if pa.types.is_date(of):
        return list(column.cast(pa.int32()).to_pylist())
    # Python's own times end at microseconds.
    return list((column.cast(pa.int64()) if pa.types.is_time(of) or pa.types.is_timestamp(of) else column).to_pylist())


def _by_polars(path: Path) -> list[Any]:
    column = pl.read_parquet(path)["x"]
    of = column.dtype
    if of == pl.Time:
        return [None if value is None else value // _unit_of_time(path) for value in column.to_physical().to_list()]
    values = column.to_physical().to_list() if of.is_temporal() else column.to_list()
    if of == pl.Map:
        return [None if value is None else [*value.items()] for value in values]
    return values


def _unit_of_time(path: Path) -> int:
    # Polars counts every time of day in nanoseconds.
    return 1 if pq.read_schema(path).field("x").type == pa.time64("ns") else 1000


def _plain(value: Any) -> Any:
    """The value such that `==` tells NaN, signs of zeros and forms of containers."""
    if isinstance(value, float | Decimal):
        return value.hex() if isinstance(value, float) else format(value, "f")
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    if isinstance(value, dict):
        members = {name: _plain(member) for name, member in value.items()}
        return tuple(members.values()) if members.keys() == {"key", "value"} else members
    return value


def test_numbers_that_are_near_one_another_are_written_small(tmp_path: Path) -> None:
    """In version 2 of Parquet, whose differences of neighbours pyarrow reads as long as they have 32 bits."""
    near = "CREATE TABLE t AS SELECT i::INTEGER AS x, DATE '2026-11-26' + i::INTEGER AS d FROM range(1_000) r(i)"
    with memory_database(tmp_path, near) as con:
        _, files = manifest_of(*exported(con, tmp_path))
        expected = rows(con, "FROM t")
    (path,) = files.values()
    found = pq.read_table(path)
    assert [*zip(*(found[name].to_pylist() for name in ("x", "d")), strict=True)] == expected
    encodings = {name for number in range(2) for name in pq.read_metadata(path).row_group(0).column(number).encodings}
    assert "DELTA_BINARY_PACKED" in encodings


def test_pyarrow_and_a_manifest_are_enough_to_read_an_incremental(history: Place) -> None:
    """As docs/format.md says: the rows of the objects, in their order, without the removed positions."""
    manifest = json.loads(max(history.manifests()).read_bytes())
    (table,) = [one for one in manifest["tables"] if one["name"] == "visits"]
    removed = set()
    for ref in table["removed"]:
        gone = pq.read_table(history.repo / ref["key"])
        removed |= set(zip(gone["object"].to_pylist(), gone["row"].to_pylist(), strict=True))
    assert removed
    left = []
    for ref in table["objects"]:
        # `<backup-id>-<schema>.<table>.<part>.parquet`: its position name is `<backup-id>.<part>`.
        backup, part = Path(ref["key"]).name[:36], Path(ref["key"]).name[37:].split(".", 2)[2].removesuffix(".parquet")
        found = pq.read_table(history.repo / ref["key"]).to_pylist()
        left += [row for number, row in enumerate(found) if (f"{backup}.{part}", number) not in removed]
    source = [
        dict(zip(("person", "happened", "note"), row, strict=True)) for row in rows(history.database, "FROM visits")
    ]
    assert sorted(left, key=str) == sorted(source, key=str)
