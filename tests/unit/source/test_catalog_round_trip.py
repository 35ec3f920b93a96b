"""Every kind of object comes back from its inventory as it was; the catalogue after is the catalogue before."""

from pathlib import Path

import duckdb
import pytest
from support.snapshots import memory_database, resources, rows, there_and_back

from duckback.errors import Unsupported
from duckback.model.catalog import Catalog, Schema, Sequence
from duckback.source.catalog import read_inventory
from duckback.source.ddl import create_sequence, set_positions
from duckback.source.rehearsal import rehearse

LONG = "n" * 255


def catalog_of(con: duckdb.DuckDBPyConnection) -> Catalog:
    (name,) = rows(con, "SELECT current_database()")[0]
    return read_inventory(con, name).catalog


def comparable(catalog: Catalog) -> dict[str, list[str]]:
    # DuckDB words one constraint in two ways (in the column, behind the columns), and lists objects by their age.
    tables = tuple(
        table.model_copy(update={"sql": "", "constraints": sorted(table.constraints, key=repr)})
        for table in catalog.tables
    )
    worded = catalog.model_copy(update={"tables": tables})
    return {kind: sorted(map(repr, getattr(worded, kind))) for kind in Catalog.model_fields}


CATALOGUES = {
    "enum labels with quotes": [
        """CREATE TYPE mood AS ENUM ('it''s', 'a"b', '', 'ü', ', ''x')""",
        "CREATE TABLE t (m mood, l mood[])",
    ],
    "types of types": [
        "CREATE TYPE cents AS INTEGER",
        "CREATE TYPE colour AS ENUM ('red')",
        "CREATE TYPE price AS STRUCT(amount cents, colour colour[])",
        "CREATE TABLE t (a cents, p price, m MAP(colour, price))",
    ],
    "a type of another schema": ["CREATE SCHEMA s", "CREATE TYPE s.e AS ENUM ('x')", "CREATE TABLE t (e s.e)"],
    "collations": [
        "CREATE TABLE t (a VARCHAR COLLATE NOCASE, b VARCHAR COLLATE NOCASE.NOACCENT DEFAULT 'x' NOT NULL, c VARCHAR)"
    ],
    "generated columns": [
        """CREATE TABLE t (a INTEGER, b INTEGER AS (a * 2), "c d" VARCHAR AS (a || 'it''s'), e INTEGER DEFAULT 7)"""
    ],
    "checks": [
        """CREATE TABLE t ("a b" INTEGER CHECK ("a b" > 0), s VARCHAR CHECK (s <> 'it''s'), CHECK (s <> 'x'))"""
    ],
    "keys of several columns": [
        "CREATE TABLE p (a INTEGER, b INTEGER, c VARCHAR UNIQUE, PRIMARY KEY (b, a), UNIQUE (a, c))",
        "CREATE TABLE k (x INTEGER, y INTEGER, z VARCHAR REFERENCES p (c), FOREIGN KEY (y, x) REFERENCES p (b, a))",
    ],
    "a chain of foreign keys": [
        "CREATE TABLE z (i INTEGER PRIMARY KEY)",
        "CREATE TABLE m (i INTEGER PRIMARY KEY REFERENCES z (i))",
        "CREATE TABLE a (i INTEGER REFERENCES m (i), j INTEGER REFERENCES z (i))",
    ],
    "defaults": [
        """CREATE TABLE t (a TIMESTAMP DEFAULT current_timestamp, b VARCHAR DEFAULT 'it''s; DROP TABLE t',
           c INTEGER[] DEFAULT [1, 2], d INTEGER DEFAULT (1 + 2) NOT NULL, e UUID DEFAULT uuid(), f DATE DEFAULT NULL)"""
    ],
    "sequences": [
        "CREATE SEQUENCE unused START 5 INCREMENT 3 MINVALUE 2 MAXVALUE 100 CYCLE",
        'CREATE SEQUENCE "S ""x" INCREMENT -2 START -1',
        """CREATE TABLE t (a BIGINT DEFAULT nextval('unused'), b BIGINT DEFAULT nextval('"S ""x"'))""",
    ],
    "indexes": [
        "CREATE TABLE t (a VARCHAR, b INTEGER)",
        "CREATE INDEX lower_a ON t (lower(a), b)",
        'CREATE UNIQUE INDEX "ix 2" ON t (b)',
    ],
    "several schemas with one name in each": [
        "CREATE SCHEMA a",
        'CREATE SCHEMA "B c"',
        "CREATE TABLE a.t (i INTEGER PRIMARY KEY)",
        "CREATE TABLE a.k (i INTEGER REFERENCES a.t (i))",
        'CREATE TABLE "B c".t (j VARCHAR)',
        "CREATE TABLE t (k DATE)",
        'CREATE VIEW "B c".v AS SELECT * FROM "B c".t',
    ],
    "names that attack": [
        'CREATE SCHEMA ".."',
        'CREATE TABLE ".."."../../etc/passwd" (i INTEGER)',
        'CREATE TABLE "t"" (i INTEGER); DROP TABLE x; --" ("a""); --" INTEGER)',
        """CREATE TABLE "it's" ("it's" INTEGER)""",
        f'CREATE TABLE "{LONG}" ("{LONG}" INTEGER)',
        'CREATE TABLE "Tä Ble\\/🦆" ("CaMel" INTEGER, "🦆" INTEGER)',
        'CREATE TABLE "a.b" (i INTEGER)',
        'CREATE TABLE " " (x INTEGER)',
        'CREATE TABLE "select" ("from" INTEGER, "1" INTEGER)',
        'CREATE TABLE "new\nline" ("tab\t" INTEGER)',
        """CREATE TABLE s (v STRUCT("a b" INTEGER, "c'd" DOUBLE, "e""f" INTEGER[]))""",
    ],
    "comments on everything": [
        "CREATE TYPE e AS ENUM ('x')",
        "CREATE SEQUENCE q",
        "CREATE TABLE t (i INTEGER, g INTEGER AS (i))",
        "CREATE VIEW v AS SELECT i FROM t",
        "CREATE INDEX x ON t (i)",
        "COMMENT ON TYPE e IS 'it''s a type'",
        "COMMENT ON SEQUENCE q IS 'sequence'",
        "COMMENT ON TABLE t IS 'two\nlines'",
        "COMMENT ON COLUMN t.i IS '🦆'",
        "COMMENT ON COLUMN t.g IS 'generated'",
        "COMMENT ON VIEW v IS ''",
        "COMMENT ON COLUMN v.i IS 'of the view'",
        "COMMENT ON INDEX x IS 'index'",
    ],
}


@pytest.mark.parametrize("objects", CATALOGUES)
def test_the_restored_catalogue_is_the_one_that_was_backed_up(tmp_path: Path, objects: str) -> None:
    statements = CATALOGUES[objects]
    with memory_database(tmp_path, *statements) as con:
        before = catalog_of(con)
    with duckdb.connect(there_and_back(tmp_path, *statements), read_only=True) as con:
        after = catalog_of(con)
    assert comparable(after) == comparable(before)


def test_views_come_back_in_an_order_that_works_whatever_their_names(tmp_path: Path) -> None:
    restored = there_and_back(
        tmp_path,
        "CREATE TABLE t AS SELECT 42 AS x",
        "CREATE VIEW zz AS SELECT x FROM t",
        "CREATE VIEW mm AS SELECT x FROM zz",
        "CREATE VIEW aa AS SELECT zz.x FROM mm, zz",
    )
    assert rows(restored, "FROM aa") == [(42,)]


def test_a_view_that_was_replaced_to_use_a_younger_one_is_ordered_too(tmp_path: Path) -> None:
    restored = there_and_back(
        tmp_path,
        "CREATE VIEW a AS SELECT 1 AS x",
        "CREATE VIEW b AS SELECT 2 AS x",
        "CREATE OR REPLACE VIEW a AS SELECT x FROM b",
    )
    assert rows(restored, "FROM a") == [(2,)]


@pytest.mark.parametrize(
    ("named", "statements"),
    [
        ("view main.broken", ["CREATE TABLE g (i INT)", "CREATE VIEW broken AS SELECT i FROM g", "DROP TABLE g"]),
        ("table main.own has a foreign key to itself", ["CREATE TABLE own (i INT PRIMARY KEY, j INT REFERENCES own)"]),
        ("column 'big' is of type HUGEINT", ["CREATE TABLE t (i INT, big HUGEINT)"]),
        ("INTERVAL", ["CREATE TABLE t (i STRUCT(a INTERVAL[]))"]),
        ("view main.with_macro", ["CREATE MACRO m(a) AS a + 1", "CREATE VIEW with_macro AS SELECT m(1) AS x"]),
    ],
)
def test_what_would_not_come_back_is_refused_by_name(tmp_path: Path, named: str, statements: list[str]) -> None:
    with pytest.raises(Unsupported, match=named) as refusal:
        there_and_back(tmp_path, *statements)
    assert refusal.value.hint


@pytest.mark.skipif(duckdb.__version__ < "2", reason="schemas nest since 2.0")
def test_a_schema_within_a_schema_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="schema inner lies in schema outside"):
        there_and_back(tmp_path, 'CREATE SCHEMA "outside"', 'CREATE SCHEMA "outside"."inner"')


def test_macros_are_named_as_left_out_and_temporary_things_are_not(tmp_path: Path) -> None:
    statements = [
        "CREATE MACRO plus(a) AS a + 1",
        "CREATE MACRO rows_of(n) AS TABLE SELECT * FROM range(n)",
        "CREATE TEMP TABLE passing (i INTEGER)",
        "CREATE TEMP VIEW passing_view AS SELECT 1",
        "CREATE TEMP SEQUENCE passing_sequence",
        "CREATE TEMP MACRO passing_macro() AS 1",
    ]
    with memory_database(tmp_path, *statements) as con:
        inventory = read_inventory(con, "memory")
    assert inventory.left_out == ("macro main.plus", "macro main.rows_of")
    assert inventory.catalog == Catalog(schemas=(Schema(name="main"),))


def test_a_table_that_would_come_back_different_is_refused(tmp_path: Path) -> None:
    with memory_database(tmp_path, "CREATE TABLE t (i INTEGER DEFAULT 1)") as con:
        catalog = catalog_of(con)
    (table,) = catalog.tables
    misread = table.model_copy(update={"columns": (table.columns[0].model_copy(update={"default": "1 + 1"}),)})
    with pytest.raises(Unsupported, match=r"table main\.t would be restored as"):
        rehearse(catalog.model_copy(update={"tables": (misread,)}), resources(tmp_path))


@pytest.mark.parametrize("uses", [0, 1, 2, 3])
def test_the_next_value_of_a_sequence_is_the_same_after_the_restore(tmp_path: Path, uses: int) -> None:
    statements = ["CREATE SEQUENCE s START 8 INCREMENT 3 MINVALUE 2 MAXVALUE 13 CYCLE"]
    statements += ["SELECT nextval('s')"] * uses
    restored = there_and_back(tmp_path, *statements)
    with memory_database(tmp_path, *statements) as before, duckdb.connect(restored) as after:
        query = "SELECT nextval('s') FROM range(5)"
        assert rows(after, query) == rows(before, query)


def test_without_setval_a_used_sequence_starts_at_its_next_value() -> None:
    used = Sequence(schema_name="main", name="s", start=1, minimum=1, maximum=10, increment=4, cycle=True, last_value=5)
    assert "START 9 " in create_sequence(used, position_follows=False)
    assert "START 1 " in create_sequence(used, position_follows=True)
    spent = used.model_copy(update={"last_value": 9})
    assert "START 1 " in create_sequence(spent, position_follows=False)
    falling = used.model_copy(update={"last_value": 2, "increment": -4})
    assert "START 10 " in create_sequence(falling, position_follows=False)
    assert list(set_positions(Catalog(sequences=(used,)))) == ["""SELECT setval('"main"."s"', 5)"""]


def test_constraints_hold_in_the_restored_file(tmp_path: Path) -> None:
    restored = there_and_back(
        tmp_path,
        "CREATE TABLE p (i INTEGER PRIMARY KEY, n VARCHAR NOT NULL, CHECK (i > 0))",
        "CREATE TABLE k (i INTEGER REFERENCES p (i))",
        "CREATE UNIQUE INDEX u ON p (lower(n))",
        "INSERT INTO p VALUES (1, 'a')",
        "INSERT INTO k VALUES (1)",
    )
    with duckdb.connect(restored) as con:
        for refused in (
            "INSERT INTO p VALUES (1, 'b')",
            "INSERT INTO p VALUES (2, NULL)",
            "INSERT INTO p VALUES (0, 'c')",
            "INSERT INTO p VALUES (3, 'A')",
            "INSERT INTO k VALUES (9)",
            "DELETE FROM p",
        ):
            with pytest.raises(duckdb.ConstraintException):
                con.execute(refused)
