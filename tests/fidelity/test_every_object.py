"""Every kind of object comes back from its inventory as it was; the catalogue after is the catalogue before."""

from pathlib import Path

import duckdb
import pytest
from support.place import Place
from support.snapshots import memory_database, resources, rows, there_and_back

from duckback.errors import Unsupported
from duckback.model.catalog import Catalog, Schema, Sequence
from duckback.source.catalog import read_inventory
from duckback.source.ddl import create_sequence, set_position
from duckback.source.rehearsal import rehearse

LONG = "n" * 255
IS_2 = duckdb.__version__.startswith("2.")


def catalog_of(con: duckdb.DuckDBPyConnection) -> Catalog:
    (name,) = rows(con, "SELECT current_database()")[0]
    return read_inventory(con, name).catalog


def comparable(catalog: Catalog) -> dict[str, list[str]]:
    # DuckDB words one constraint in two ways (in the column, behind the columns), and lists objects by their age.
    tables = tuple(
        table.model_copy(update={"sql": "", "constraints": tuple(sorted(table.constraints, key=repr))})
        for table in catalog.tables
    )
    # DuckDB 1.5 words a view that it has used in another way than one that it has read.
    views = catalog.views if IS_2 else tuple(view.model_copy(update={"sql": ""}) for view in catalog.views)
    sequences = tuple(sequence.giving(sequence.next_value) for sequence in catalog.sequences)
    at_start = tuple(
        sequence.model_copy(update={"start": 0, "last_value": sequence.next_value}) for sequence in sequences
    )
    worded = catalog.model_copy(update={"tables": tables, "views": views, "sequences": at_start})
    # It quotes the kind in a cast that it has read.
    return {
        kind: sorted(one.model_dump_json().replace(r"\"DOUBLE\"", "DOUBLE") for one in getattr(worded, kind))
        for kind in Catalog.model_fields
        if kind != "name"
    }


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
    "expressions that DuckDB 1.5 words in two ways": [
        """CREATE TABLE t (a TIMESTAMP, b INTERVAL DEFAULT (INTERVAL 1 DAY), c INTERVAL[] DEFAULT [INTERVAL 2 HOURS],
           d TIMESTAMP DEFAULT (now()::TIMESTAMP + INTERVAL 1 MONTH), CHECK (a > TIMESTAMP '2026-01-01' - INTERVAL 3 DAY))"""
    ],
    "sequences": [
        "CREATE SEQUENCE unused START 5 INCREMENT 3 MINVALUE 2 MAXVALUE 100 CYCLE",
        'CREATE SEQUENCE "S x" INCREMENT -2 START -1',
        """CREATE TABLE t (a BIGINT DEFAULT nextval('unused'), b BIGINT DEFAULT nextval('"S x"'))""",
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
        "CREATE MACRO m(a) AS a + 1",
        "COMMENT ON MACRO m IS 'macro'",
        "CREATE MACRO r(n) AS TABLE FROM range(n)",
        "COMMENT ON MACRO TABLE r IS 'table macro'",
    ],
    "macros": [
        "CREATE SCHEMA s",
        "CREATE MACRO plus(a, b := 5) AS a + b",
        "CREATE MACRO s.many(a) AS a, (a, b := 'x''y', c := 'new\nline, d := 3)') AS a || b || c",
        """CREATE MACRO s."q""n"("a b", "select" := INTERVAL 3 DAYS, z := -1.50) AS ("a b", "select", z)""",
        "CREATE MACRO listed(a, b := {'q': [1, NULL]}, c := CAST('2026-01-01' AS DATE)) AS (a, b, c)",
        "CREATE MACRO none() AS 42",
        "CREATE MACRO rows_of(n, m := 3) AS TABLE SELECT i * m AS x FROM range(n) r(i) UNION ALL SELECT m",
        "CREATE MACRO tables(n) AS TABLE (SELECT n AS x, 1 AS y), (n, m) AS TABLE (SELECT n AS x, m AS y)",
    ],
    "macros and views and tables that need one another": [
        "CREATE MACRO twice(a) AS a * 2",
        "CREATE TABLE t (a INTEGER, b INTEGER DEFAULT (twice(4)), CHECK (twice(a) < 100))",
        "CREATE MACRO largest() AS (SELECT max(a) FROM t)",
        "CREATE VIEW a AS SELECT largest() AS x",
        "CREATE MACRO of_view() AS TABLE FROM a",
        "CREATE VIEW z AS FROM of_view()",
    ],
    "a foreign key that writes its table in another case": [
        "CREATE TABLE p (i INTEGER PRIMARY KEY)",
        "CREATE TABLE k (i INTEGER REFERENCES P (I))",
    ],
    "a foreign key to its own table": [
        "CREATE TABLE t (i INTEGER PRIMARY KEY, parent INTEGER REFERENCES t (i), a INTEGER UNIQUE, b INTEGER REFERENCES t (a))"
    ],
    "recursive views": [
        "CREATE VIEW r AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) FROM n",
        "CREATE RECURSIVE VIEW s(i) AS SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 3",
    ],
    "lambdas of both spellings": [
        "CREATE VIEW a AS SELECT list_transform([1, 2], lambda x: x + 1) AS l",
        "SET lambda_syntax = 'ENABLE_SINGLE_ARROW'",
        "CREATE VIEW b AS SELECT list_transform([1, 2], x -> x + 1) AS l",
        "CREATE MACRO c(l) AS list_filter(l, x -> x > 1)",
    ],
    "long and alike names": [
        f'CREATE TABLE "{"n" * 250}" ("{"c" * 250}" INTEGER)',
        'CREATE TABLE "Ü" (i INTEGER)',
        'CREATE TABLE "ü" (i INTEGER, "Ü" INTEGER, "ü" INTEGER)',
        'CREATE SCHEMA "a.b"',
        'CREATE TABLE "a.b"."c.d" (i INTEGER)',
    ],
}

NEW_CATALOGUES = {
    "schemas in schemas": [
        "CREATE SCHEMA a",
        "CREATE SCHEMA a.b",
        'CREATE SCHEMA a.b."c.d"',
        "CREATE SCHEMA b",
        "CREATE TABLE a.b.t (i INTEGER PRIMARY KEY)",
        "CREATE TABLE a.b.child (i INTEGER REFERENCES a.b.t (i))",
        "CREATE TABLE b.t (i VARCHAR)",
        "CREATE VIEW a.b.v AS SELECT * FROM a.b.t",
        "CREATE SEQUENCE a.b.s START 4",
        "SELECT nextval('a.b.s')",
        "CREATE TYPE a.b.e AS ENUM ('x')",
        "CREATE MACRO a.b.m(x, y := 2) AS x + y",
        "CREATE MACRO b.m(x, z := 3) AS x - z",
        "CREATE INDEX ix ON a.b.child (i)",
        'CREATE TABLE a.b."c.d"."t.t" (i INTEGER)',
        "COMMENT ON TABLE a.b.t IS 'nested'",
        "COMMENT ON COLUMN a.b.t.i IS 'nested too'",
    ],
    "a sequence with a quote in its name": [
        'CREATE SEQUENCE "S ""x"',
        """CREATE TABLE t (b BIGINT DEFAULT nextval('"S ""x"'))""",
        """SELECT nextval('"S ""x"')""",
    ],
    "secure views": ["CREATE TABLE t (i INTEGER)", "CREATE SECURE VIEW s AS SELECT i FROM t"],
    "triggers": [
        "CREATE TABLE src (i INTEGER, j INTEGER)",
        "CREATE TABLE log (i INTEGER)",
        "CREATE TRIGGER one AFTER INSERT ON src FOR EACH STATEMENT INSERT INTO log SELECT 1",
        "CREATE TRIGGER two AFTER INSERT ON src REFERENCING NEW TABLE AS n FOR EACH STATEMENT INSERT INTO log SELECT i FROM n",
    ],
    "typed macros": ["CREATE MACRO typed(a INTEGER, b VARCHAR := 'q', c DECIMAL(9,2)[] := [1.5]) AS a || b"],
    "tuples": ["CREATE TABLE t (r TUPLE(INTEGER, VARCHAR))"],
}


@pytest.mark.parametrize("objects", CATALOGUES)
def test_the_restored_catalogue_is_the_one_that_was_backed_up(tmp_path: Path, objects: str) -> None:
    statements = {**CATALOGUES, **NEW_CATALOGUES}[objects]
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


@pytest.mark.parametrize("objects", NEW_CATALOGUES)
@pytest.mark.skipif(not IS_2, reason="only DuckDB 2 has these objects")
def test_the_restored_catalogue_is_the_one_that_was_backed_up_on_2(tmp_path: Path, objects: str) -> None:
    test_the_restored_catalogue_is_the_one_that_was_backed_up(tmp_path, objects)


def test_temporary_things_are_left_out(tmp_path: Path) -> None:
    statements = [
        "CREATE TEMP TABLE passing (i INTEGER)",
        "CREATE TEMP VIEW passing_view AS SELECT 1",
        "CREATE TEMP SEQUENCE passing_sequence",
        "CREATE TEMP MACRO passing_macro() AS 1",
    ]
    with memory_database(tmp_path, *statements) as con:
        inventory = read_inventory(con, "memory")
    assert inventory.left_out == ()
    assert inventory.catalog == Catalog(name="memory", schemas=(Schema(name="main"),))


def test_a_table_that_would_come_back_different_is_refused(tmp_path: Path) -> None:
    with memory_database(tmp_path, "CREATE TABLE t (s VARCHAR COLLATE NOCASE)") as con:
        catalog = catalog_of(con)
    (table,) = catalog.tables
    misread = table.model_copy(update={"columns": (table.columns[0].model_copy(update={"collation": None}),)})
    with pytest.raises(Unsupported, match=r"table main\.t would not be restored as it is"):
        rehearse(catalog.model_copy(update={"tables": (misread,)}), resources(tmp_path))


@pytest.mark.parametrize("uses", [0, 1, 2, 3])
def test_the_next_value_of_a_sequence_is_the_same_after_the_restore(tmp_path: Path, uses: int) -> None:
    statements = ["CREATE SEQUENCE s START 8 INCREMENT 3 MINVALUE 2 MAXVALUE 13 CYCLE"]
    statements += ["SELECT nextval('s')"] * uses
    restored = there_and_back(tmp_path, *statements)
    with memory_database(tmp_path, *statements) as before, duckdb.connect(restored) as after:
        query = "SELECT nextval('s') FROM range(5)"
        assert rows(after, query) == rows(before, query)


def test_without_setval_a_used_sequence_starts_at_its_last_value_and_gives_that_once() -> None:
    used = Sequence(schema_name="main", name="s", start=1, minimum=1, maximum=10, increment=4, cycle=True, last_value=5)
    assert "START 5 " in create_sequence(used, from_its_start=False)
    assert set_position(used, has_setval=False) == """SELECT nextval('"main"."s"')"""
    assert "START 1 " in create_sequence(used, from_its_start=True)
    assert set_position(used, has_setval=True) == """SELECT setval('"main"."s"', 5)"""
    unused = used.model_copy(update={"last_value": None})
    assert "START 1 " in create_sequence(unused, from_its_start=False)
    assert set_position(unused, has_setval=False) is None


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


@pytest.mark.parametrize("named", ["memory", "main", "source", "Restored"])
def test_names_of_schemas_and_of_the_database_itself_do_not_get_in_each_others_way(place: Place, named: str) -> None:
    statements = [f"CREATE SCHEMA {named}"] if named != "main" else []
    statements += [
        f"CREATE TABLE small.{named}.t AS SELECT 42 AS i",
        f"CREATE VIEW small.{named}.v AS SELECT i FROM small.{named}.t",
        f"COMMENT ON TABLE small.{named}.t IS 'here'",
        f"CREATE INDEX ix ON small.{named}.t (i)",
        f"CREATE SEQUENCE small.{named}.s",
        f"SELECT nextval('small.{named}.s')",
        f"CREATE MACRO small.{named}.m(a, b := 3) AS a + b",
    ]
    database = place.root / "small.duckdb"
    with duckdb.connect(database) as con:
        for statement in statements:
            con.execute(statement)
    place.run("backup", database).worked()
    place.run("restore", place.target).worked()
    with duckdb.connect(place.target, read_only=True) as con:
        assert rows(con, f"FROM small.{named}.v") == [(42,)]


CASTS = """
    CREATE TABLE t (
        decimal DECIMAL(4, 2) DEFAULT 1::DECIMAL(4, 2),
        moment TIMESTAMPTZ DEFAULT '2026-01-01'::TIMESTAMPTZ,
        bits BIT DEFAULT '101'::BIT,
        inside STRUCT(a DECIMAL(5, 1)[]) DEFAULT {'a': [1]}::STRUCT(a DECIMAL(5, 1)[]),
        map MAP(VARCHAR, DECIMAL(5, 1)) DEFAULT MAP {'x, y': 1}::MAP(VARCHAR, DECIMAL(5, 1)),
        own mood DEFAULT 'sad'::mood,
        double DECIMAL(9, 1) AS (CAST(n AS DECIMAL(8, 1)) * 2),
        later TIMESTAMPTZ AS (to_timestamp(n)),
        mixed mood AS (CASE WHEN n > 0 THEN 'it''s' ELSE 'sad' END),
        n INTEGER,
        CHECK (n::DECIMAL(4, 1) > 0)
    )
"""


def test_a_cast_that_duckdb_words_otherwise_once_it_has_read_it_from_a_file_is_no_other_definition(
    place: Place,
) -> None:
    source = place.root / "source.duckdb"
    with duckdb.connect(source) as con:
        con.execute("CREATE TYPE mood AS ENUM ('sad', 'it''s')")
        con.execute(CASTS)
    place.run("backup", source).worked()
    place.run("restore", place.target).worked()
    with duckdb.connect(place.target) as con, duckdb.connect(source) as before:
        for one in (con, before):
            one.execute("SET TimeZone = 'UTC'")
            one.execute("INSERT INTO t (n) VALUES (1)")
            with pytest.raises(duckdb.ConstraintException):
                one.execute("INSERT INTO t (n) VALUES (0)")
        every = "SELECT COLUMNS(*)::VARCHAR FROM t"
        assert rows(con, every) == rows(before, every)
