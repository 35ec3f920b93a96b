"""The fingerprint tells apart what DuckDB's `hash()` cannot, and nothing else matters to it."""

import itertools
from collections.abc import Sequence

import duckdb
import pytest

from duckback.model.catalog import Column
from duckback.model.manifest import Fingerprint
from duckback.source.fingerprint import grouped_fingerprints, total


def fingerprint(columns: dict[str, str], rows: Sequence[str]) -> Fingerprint:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (" + ", ".join(f'"{name}" {of}' for name, of in columns.items()) + ")")
        for row in rows:
            con.execute(f"INSERT INTO t VALUES ({row})")
        stored = [Column(name=name, type=of) for name, of in columns.items()]
        return total([found for _, found in grouped_fingerprints(con, "t", stored, "0")])


def both_sums_differ(one: Fingerprint, other: Fingerprint) -> bool:
    return one.rows == other.rows and one.sum1 != other.sum1 and one.sum2 != other.sum2


MINUS = "'-0.0'::DOUBLE"
LOOKALIKES = {
    "DOUBLE": ["NULL", "0.0", MINUS, "'nan'::DOUBLE"],
    "FLOAT": ["NULL", "0.0", f"({MINUS})::FLOAT"],
    "DOUBLE[]": ["NULL", "[]", "[NULL]", "[0.0]", f"[{MINUS}]", f"[0.0, {MINUS}]", f"[{MINUS}, 0.0]"],
    "INTEGER[]": ["NULL", "[]", "[NULL]", "[NULL, NULL]", "[1, NULL]", "[NULL, 1]", "[1, 2]", "[2, 1]"],
    "INTEGER[][]": ["NULL", "[]", "[NULL]", "[[]]", "[[1], [2]]", "[[1, 2]]", "[[1, 2], []]", "[[], [1, 2]]"],
    "DOUBLE[][]": ["[[0.0], []]", f"[[{MINUS}], []]", "[[], [0.0]]"],
    "DOUBLE[2]": ["NULL", "[NULL, NULL]", "[0.0, 0.0]", f"[0.0, {MINUS}]", f"[{MINUS}, 0.0]"],
    "INTEGER[2][]": ["NULL", "[]", "[NULL]", "[[NULL, NULL]]"],
    "STRUCT(a INTEGER, b INTEGER)": ["NULL", "{'a': NULL, 'b': NULL}", "{'a': 1, 'b': NULL}", "{'a': NULL, 'b': 1}"],
    "STRUCT(s STRUCT(a INTEGER))": ["NULL", "{'s': NULL}", "{'s': {'a': NULL}}"],
    "STRUCT(a INTEGER)[]": ["NULL", "[]", "[NULL]", "[{'a': NULL}]"],
    "STRUCT(a DOUBLE[])[]": ["[{'a': [0.0]}]", f"[{{'a': [{MINUS}]}}]", "[{'a': []}]", "[{'a': NULL}]", "[NULL]"],
    "MAP(VARCHAR, INTEGER)": ["NULL", "MAP {}", "MAP {'a': NULL}", "MAP {'a': 0}"],
    "MAP(VARCHAR, INTEGER[])": ["MAP {'a': NULL}", "MAP {'a': []}", "MAP {'a': [NULL]}"],
    "MAP(VARCHAR, INTEGER)[]": ["[NULL]", "[MAP {}]", "[]"],
    "MAP(DOUBLE, DOUBLE)": ["MAP {0.0: 0.0}", f"MAP {{0.0: {MINUS}}}", f"MAP {{{MINUS}: 0.0}}"],
    "VARCHAR": ["NULL", "''", "chr(0)", "'a'", "'a' || chr(0)", "'A'", "'NULL'", "'duckback:'"],
    "VARCHAR[]": ["['a', '']", "['', 'a']", "['a']"],
    "BLOB": ["NULL", "''::BLOB", "'\\x00'::BLOB", "'\\x00\\x00'::BLOB"],
    "BIT": ["NULL", "'1'", "'01'", "'0'"],
    "TIME": ["NULL", "'00:00:00'", "'24:00:00'"],
    "TIMESTAMP": ["NULL", "'infinity'", "'-infinity'", "'294247-01-10 04:00:54.775806'"],
    "BOOLEAN": ["NULL", "false", "true"],
    "INTERVAL": ["INTERVAL 1 MONTH", "INTERVAL 30 DAYS", "INTERVAL 720 HOURS", "INTERVAL 1 DAY", "INTERVAL 24 HOURS"],
    "INTERVAL[]": ["[INTERVAL 1 MONTH]", "[INTERVAL 30 DAYS]", "[INTERVAL 720 HOURS]", "[]", "[NULL]"],
    "UNION(a INTEGER, b INTEGER)": ["union_value(a := 1)", "union_value(b := 1)", "union_value(a := NULL)", "NULL"],
    "STRUCT(u UNION(a DOUBLE, b DOUBLE))": [
        "{'u': union_value(a := 0.0::DOUBLE)}",
        f"{{'u': union_value(a := {MINUS}::DOUBLE)}}",
        "{'u': union_value(b := 0.0::DOUBLE)}",
    ],
    "TIMETZ": ["'12:00:00+00'", "'13:00:00+01'", "'24:00:00+00'", "'00:00:00+00'"],
    "VARIANT": [
        "1::UTINYINT::VARIANT",
        "1::INTEGER::VARIANT",
        "'1'::VARIANT",
        "[1]::VARIANT",
        "[]::INTEGER[]::VARIANT",
    ],
    "VARIANT[]": ["[1::UTINYINT::VARIANT]", "[1::INTEGER::VARIANT]", "[]", "[NULL]"],
}


@pytest.mark.parametrize("column_type", LOOKALIKES)
def test_values_that_look_alike_have_different_fingerprints_in_both_sums(column_type: str) -> None:
    for columns, lead in (({"id": "INTEGER", "v": column_type}, "7, "), ({"v": column_type}, "")):
        found = {value: fingerprint(columns, [lead + value]) for value in LOOKALIKES[column_type]}
        alike = [
            (a, b)
            for a, b in itertools.combinations(found, 2)
            if not (both_sums_differ(found[a], found[b]) if lead else found[a] != found[b])
        ]
        assert alike == []


@pytest.mark.parametrize(
    ("column_type", "value"), [("DOUBLE", "{}"), ("FLOAT[]", "[{}]"), ("STRUCT(a DOUBLE)", "row({})")]
)
def test_the_sign_of_a_nan_is_no_difference_since_duckdb_does_not_keep_it(column_type: str, value: str) -> None:
    one, other = (fingerprint({"v": column_type}, [value.format(f"'{sign}nan'::DOUBLE")]) for sign in ("", "-"))
    assert one == other


def test_values_swapped_between_columns_are_seen() -> None:
    columns = {"a": "INTEGER", "b": "INTEGER"}
    assert both_sums_differ(fingerprint(columns, ["1, 2"]), fingerprint(columns, ["2, 1"]))
    assert both_sums_differ(fingerprint(columns, ["1, 2", "3, 4"]), fingerprint(columns, ["1, 4", "3, 2"]))
    assert both_sums_differ(fingerprint(columns, ["NULL, 2"]), fingerprint(columns, ["2, NULL"]))


def test_duplicates_count_and_order_does_not() -> None:
    one = {"a": "INTEGER"}
    assert fingerprint(one, ["1", "2", "3"]) == fingerprint(one, ["3", "1", "2"])
    assert fingerprint(one, ["1", "1", "2"]) != fingerprint(one, ["1", "2", "2"])
    assert fingerprint(one, ["1", "1"]) != fingerprint(one, [])
    assert fingerprint(one, ["1", "1"]).rows == 2


def test_an_empty_table_has_the_fingerprint_of_nothing() -> None:
    assert fingerprint({"a": "INTEGER", "b": "DOUBLE"}, []) == Fingerprint()


@pytest.mark.parametrize("columns", [{"a": "BIGINT"}, {"a": "VARCHAR"}, {"a": "BIGINT", "b": "VARCHAR"}])
def test_the_two_sums_are_two_measures(columns: dict[str, str]) -> None:
    found = fingerprint(columns, [", ".join(["'42'"] * len(columns))])
    assert found.sum1 != found.sum2


def test_sums_do_not_wrap_at_64_bits() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT range AS i FROM range(1000)")
        ((_, found),) = grouped_fingerprints(con, "t", [Column(name="i", type="BIGINT")], "0")
    assert min(found.sum1, found.sum2) > 2**64


def test_groups_add_up_to_the_whole() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT range AS i, range::VARCHAR AS s FROM range(1000)")
        columns = [Column(name="i", type="BIGINT"), Column(name="s", type="VARCHAR")]
        parts = grouped_fingerprints(con, "t", columns, "rowid // 100")
        whole = grouped_fingerprints(con, "t", columns, "0")
    assert [(number, part.rows) for number, part in parts] == [(n, 100) for n in range(10)]
    assert total([part for _, part in parts]) == whole[0][1]


@pytest.mark.parametrize("name", ["item0", "item1", "rowid", "rows", "sum1", "duckback_group", 'a"b', "lambda", "t"])
def test_a_columns_name_does_not_change_what_is_seen(name: str) -> None:
    columns = {name.replace('"', '""'): "DOUBLE[][]", "other": "STRUCT(item0 DOUBLE)"}
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (" + ", ".join(f'"{key}" {of}' for key, of in columns.items()) + ")")
        stored = [Column(name=name, type="DOUBLE[][]"), Column(name="other", type="STRUCT(item0 DOUBLE)")]
        found = []
        for value in ("[[0.0]]", f"[[{MINUS}]]", "[[]]", "[NULL]"):
            con.execute("DELETE FROM t")
            con.execute(f"INSERT INTO t VALUES ({value}, {{'item0': 0.0}})")
            found.append(grouped_fingerprints(con, "t", stored, "0")[0][1])
    assert all(both_sums_differ(a, b) for a, b in itertools.combinations(found, 2))


def test_values_under_a_collation_are_told_apart_all_the_same() -> None:
    found = []
    for value in ("a", "A", "ä"):
        with duckdb.connect() as con:
            con.execute("CREATE TABLE t (v VARCHAR COLLATE NOCASE.NOACCENT)")
            con.execute("INSERT INTO t VALUES (?)", [value])
            column = Column(name="v", type="VARCHAR", collation="NOCASE.NOACCENT")
            found.append(grouped_fingerprints(con, "t", [column], "0")[0][1])
    assert len(set(found)) == 3
