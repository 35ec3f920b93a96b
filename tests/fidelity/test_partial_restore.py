"""Some tables instead of all: what belongs to them comes along, and nothing else is needed or restored."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from support.place import Place, small_database
from support.snapshots import built, exported, manifest_of, memory_database, resources, rows

from duckback.errors import IntegrityError, UsageError
from duckback.model.catalog import Table
from duckback.model.progress import unheard
from duckback.source.catalog import read_inventory
from duckback.source.condition import refuse_unfit
from duckback.source.load import examine_database

SHOP = (
    "CREATE SEQUENCE ids START 5",
    "CREATE SEQUENCE unused",
    "CREATE TYPE mood AS ENUM ('sad', 'happy')",
    "CREATE SCHEMA s",
    "CREATE TABLE people (id BIGINT PRIMARY KEY DEFAULT nextval('ids'), m mood, CHECK (id > 0))",
    "CREATE TABLE visits (person BIGINT REFERENCES people (id), note VARCHAR UNIQUE)",
    "CREATE TABLE s.pages AS SELECT 'page ' || i AS title FROM range(3) r(i)",
    "CREATE INDEX people_m ON people (m)",
    "CREATE INDEX visits_person ON visits (person)",
    "CREATE VIEW visitors AS SELECT m, note FROM people JOIN visits ON id = person",
    "CREATE VIEW s.titles AS SELECT title FROM s.pages",
    "INSERT INTO people (m) VALUES ('sad'), ('happy')",
    "INSERT INTO visits VALUES (5, 'x'), (6, 'y'), (NULL, NULL)",
)
NAMES = {
    "tables": "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT internal",
    "views": "SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal",
    "indexes": "SELECT index_name FROM duckdb_indexes()",
    "sequences": "SELECT sequence_name FROM duckdb_sequences()",
}


@pytest.fixture
def shop(place: Place) -> Place:
    place.run("backup", small_database(place.root / "shop.duckdb", ";".join(SHOP))).worked()
    return place


def restored(place: Place, *options: str) -> dict[str, set[str]]:
    """The names of the objects in the target, by kind."""
    place.run("restore", place.target, *options).worked()
    return {kind: {name for (name,) in rows(place.target, query)} for kind, query in NAMES.items()}


def test_one_table_needs_only_its_own_objects_and_brings_what_belongs_to_it(shop: Place) -> None:
    for path in shop.objects():
        if ".people." not in path.name:
            path.unlink()
    shop.run("restore", shop.root / "whole.duckdb").failed(20, "is missing")
    assert restored(shop, "--table", "people") == {
        "tables": {"main.people"},
        "views": set(),
        "indexes": {"people_m"},
        "sequences": {"ids"},
    }
    with duckdb.connect(shop.target) as con:
        assert rows(con, "FROM people ORDER BY id") == [(5, "sad"), (6, "happy")]
        assert rows(con, "SELECT enum_range(NULL::mood)") == [(["sad", "happy"],)]
        con.execute("INSERT INTO people (m) VALUES ('sad')")
        assert rows(con, "SELECT max(id) FROM people") == [(7,)]
        with pytest.raises(duckdb.ConstraintException):
            con.execute("INSERT INTO people (id) VALUES (-1)")


def test_a_foreign_key_to_a_table_that_stays_behind_is_dropped_and_other_constraints_hold(shop: Place) -> None:
    assert restored(shop, "--table", "main.visits")["tables"] == {"main.visits"}
    with duckdb.connect(shop.target) as con:
        con.execute("INSERT INTO visits VALUES (999, 'of nobody')")
        with pytest.raises(duckdb.ConstraintException):
            con.execute("INSERT INTO visits VALUES (999, 'x')")


def test_several_tables_keep_the_foreign_keys_and_the_views_between_them(shop: Place) -> None:
    found = restored(shop, "--table", "visits", "--table", "PEOPLE", "--table", "visit?rs")
    assert found["tables"] == {"main.people", "main.visits"}
    assert found["views"] == {"main.visitors"}
    assert rows(shop.target, "FROM visitors ORDER BY note") == [("sad", "x"), ("happy", "y")]
    with duckdb.connect(shop.target) as con, pytest.raises(duckdb.ConstraintException):
        con.execute("INSERT INTO visits VALUES (999, 'of nobody')")


def test_a_schema_comes_with_all_that_is_in_it_and_alone(shop: Place) -> None:
    found = restored(shop, "--schema", "s")
    assert (found["tables"], found["views"], found["sequences"]) == ({"s.pages"}, {"s.titles"}, set())
    assert rows(shop.target, "SELECT count(*) FROM s.titles") == [(3,)]


def test_json_counts_what_was_restored_and_not_what_was_backed_up(shop: Place) -> None:
    told = shop.run("restore", shop.target, "--table", "visits", "--json").worked().json
    assert (told["rows"], told["tables"], told["deferred"]) == (3, 1, [])


def test_what_a_restore_excludes_stays_behind(shop: Place) -> None:
    found = restored(shop, "--exclude", "visit*", "--exclude", "s.titles")
    assert (found["tables"], found["views"]) == ({"main.people", "s.pages"}, set())


def test_what_a_backup_excludes_is_told_and_written_into_the_manifest(shop: Place) -> None:
    ran = shop.run("backup", shop.root / "shop.duckdb", "--exclude", "people", "--exclude", "visitors").worked()
    left_out = [
        "table main.people",
        "view main.visitors",
        "index main.people_m",
        "foreign key of main.visits to people",
    ]
    assert [line for line in ran.err.splitlines() if "left out" in line] == [
        f"duckback: left out of the backup: {what}" for what in left_out
    ]
    assert shop.run("show", "--json").worked().json["manifest"]["excluded"] == left_out
    assert "left out table main.people" in shop.run("show").worked().out
    assert restored(shop)["tables"] == {"main.visits", "s.pages"}
    assert rows(shop.target, "SELECT count(*) FROM visits") == [(3,)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--table", "people", "--table", "persons"),
            ("'persons'", "main.people, main.visitors, main.visits, s.pages"),
        ),
        (("--table", "pages"), ("'pages'", "s.pages")),
        (("--schema", "t"), ("'t'", "main, s")),
    ],
)
def test_an_unknown_name_is_a_usage_error_that_tells_what_is_there(
    shop: Place, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    shop.run("restore", shop.target, *options).failed(2, *words)
    shop.run("backup", shop.root / "shop.duckdb", *options).failed(2, *words)
    assert shop.beside_target() == []


def test_a_view_without_its_table_is_deferred(shop: Place) -> None:
    shop.run("restore", shop.target, "--table", "visitors").failed(
        3, "view main.visitors could not be created", "people"
    )
    text = shop.target.with_name(f"{shop.target.name}.deferred.sql").read_text()
    assert "CREATE VIEW visitors" in text


def test_a_table_comes_with_the_macros_that_its_macros_need(place: Place) -> None:
    sql = (
        "CREATE MACRO once(a) AS a + 1; CREATE MACRO twice(a) AS once(once(a)); CREATE MACRO other() AS 1;"
        "CREATE TABLE t (i INTEGER DEFAULT (twice(3)), j INTEGER)"
    )
    place.run("backup", small_database(place.root / "a.duckdb", sql)).worked()
    place.run("restore", place.target, "--table", "t").worked()
    with duckdb.connect(place.target) as con:
        con.execute("INSERT INTO t (j) VALUES (0)")
        assert rows(con, "FROM t") == [(5, 0)]
        macros = "SELECT function_name FROM duckdb_functions() WHERE macro_definition IS NOT NULL AND NOT internal"
        assert sorted(rows(con, macros)) == [("once",), ("twice",)]


def test_a_schema_comes_with_the_sequences_of_others_that_its_tables_need(place: Place) -> None:
    sql = "CREATE SEQUENCE ids START 5; CREATE SCHEMA s; CREATE TABLE s.t (i BIGINT DEFAULT nextval('ids'), j INTEGER)"
    database = small_database(place.root / "a.duckdb", sql)
    place.run("backup", database).worked()
    place.run("restore", place.target, "--schema", "s").worked()
    place.run("backup", database, "--schema", "s").worked()
    with duckdb.connect(place.target) as con:
        con.execute("INSERT INTO s.t (j) VALUES (0)")
        assert rows(con, "FROM s.t") == [(5, 0)]


TREE = "CREATE TABLE tree (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES tree (id), x INTEGER REFERENCES tree (id))"
ROOTS = "INSERT INTO tree SELECT i, NULL, NULL FROM range({}) r(i)"


@pytest.mark.parametrize(
    "statements",
    [
        (
            ROOTS.format(10),
            "INSERT INTO tree VALUES (100, NULL, NULL), (101, NULL, NULL)",
            "UPDATE tree SET parent = 100, x = 101 WHERE id < 5",
            "DELETE FROM tree WHERE id = 3",
            "INSERT INTO tree VALUES (3, 2, NULL), (50, NULL, 4)",
            "UPDATE tree SET parent = 3 WHERE id IN (7, 8)",
        ),
        (ROOTS.format(300), *(f"UPDATE tree SET parent = {i + 1} WHERE id = {i}" for i in reversed(range(299)))),
    ],
    ids=["a tree", "a deep chain"],
)
def test_a_table_that_refers_to_itself_comes_back_whole(place: Place, statements: tuple[str, ...]) -> None:
    database = small_database(place.root / "tree.duckdb", ";".join((TREE, *statements)))
    place.run("backup", database).worked()
    place.run("restore", place.target, "--table", "tree").worked()
    assert rows(place.target, "FROM tree ORDER BY id") == rows(database, "FROM tree ORDER BY id")
    with duckdb.connect(place.target) as con, pytest.raises(duckdb.ConstraintException):
        con.execute("INSERT INTO tree VALUES (-1, -2, NULL)")


TENANTS = (
    "CREATE MACRO shouting(x) AS upper(x)",
    "CREATE TABLE tenants (tenant VARCHAR COLLATE NOCASE PRIMARY KEY, loud VARCHAR GENERATED ALWAYS AS (shouting(tenant)))",
    "CREATE TABLE events (id INTEGER PRIMARY KEY, tenant VARCHAR REFERENCES tenants (tenant), moment TIMESTAMP, h HUGEINT, parent INTEGER REFERENCES events (id))",
    "CREATE TABLE notes (moment TIMESTAMP, tenant VARCHAR)",
    "INSERT INTO tenants VALUES ('acme'), ('other'), ('idle')",
    "INSERT INTO events SELECT i, ['acme', 'other', 'other'][i + 1], NULL, i::HUGEINT << 80, NULL FROM range(3) r(i)",
    (
        "INSERT INTO events SELECT i, ['acme', 'other', 'other'][i % 3 + 1], TIMESTAMP '2026-11-20' + to_hours(i),"
        " i::HUGEINT << 80, i % 3 FROM range(3, 90) r(i)"
    ),
    "INSERT INTO notes SELECT moment, tenant FROM events",
)


@pytest.fixture(scope="module")
def tenants_stock(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("tenants"))
    database = small_database(place.root / "tenants.duckdb", ";".join(TENANTS))
    place.run("backup", database).worked()
    with duckdb.connect(database) as con:
        con.execute("DELETE FROM notes WHERE moment < TIMESTAMP '2026-11-20 12:00:00'")
    place.run("backup", database).worked()
    return place


def test_some_rows_of_some_tables_come_back_and_are_proven(tenants_stock: Place, tmp_path: Path) -> None:
    target = tmp_path / "acme.duckdb"
    options = ("--table", "events", "--table", "tenants", "--table", "notes", "--where", "tenant = 'acme'")
    answer = tenants_stock.run("restore", target, *options, "--json").worked().json
    source = tenants_stock.root / "tenants.duckdb"
    for table in ("events", "tenants", "notes"):
        wanted = f"FROM {table} WHERE tenant = 'acme' ORDER BY ALL"
        assert rows(target, f"FROM {table} ORDER BY ALL") == rows(source, wanted) != []
    assert answer["rows"] == 1 + 30 + 27
    assert "for which the condition holds" in answer["proof"]


def test_a_condition_may_name_generated_columns_and_collate_as_the_table_does(
    tenants_stock: Place, tmp_path: Path
) -> None:
    target = tmp_path / "one.duckdb"
    condition = "loud = 'ACME' AND tenant = 'Acme' -- of one"
    tenants_stock.run("restore", target, "--table", "tenants", "--where", condition).worked()
    assert rows(target, "FROM tenants") == [("acme", "ACME")]


def test_rows_whose_parents_are_left_out_are_told_and_the_target_stays_free(
    tenants_stock: Place, tmp_path: Path
) -> None:
    target = tmp_path / "orphans.duckdb"
    ran = tenants_stock.run("restore", target, "--table", "events", "--where", "id > 40")
    ran.failed(2, "rows of table main.events refer to rows that --where leaves out", "into another file")
    both = ("--table", "events", "--table", "tenants")
    ran = tenants_stock.run("restore", target, *both, "--where", "tenant = 'acme' AND length(tenant) > columns_count")
    ran.failed(2, "does not fit table")
    ran = tenants_stock.run("restore", target, "--table", "notes", "--where", "tenant::INTEGER = 1")
    ran.failed(2, "cannot be computed", "acme")
    assert not target.exists()


@pytest.fixture
def shut(tmp_path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Table]]:
    with memory_database(
        tmp_path, "CREATE MACRO m(x) AS x", "CREATE TABLE t (a INTEGER, b TIMESTAMP, c BOOLEAN)"
    ) as con:
        (table,) = read_inventory(con, "memory").catalog.tables
        yield con, table


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("a >", "no SQL condition"),
        ("", "no SQL condition"),
        ("a, b", "no SQL condition"),
        ("a = 1 AS x", "no SQL condition"),
        ("a = 1; DROP TABLE t", "no SQL condition"),
        ("a = 1) OR (1 = 1", "no SQL condition"),
        ("a FROM t", "no SQL condition"),
        ("c ORDER BY a", "no SQL condition"),
        ("c LIMIT 1", "no SQL condition"),
        ("c GROUP BY ALL", "no SQL condition"),
        ("c UNION SELECT true", "no SQL condition"),
        ("a", "gives INTEGER"),
        ("'x'", "gives VARCHAR"),
        ("d = 1", "does not fit table main.t"),
        ("count(*) > 1", "does not fit table main.t"),
        ("a IN (SELECT 1)", "a query of its own"),
        ("EXISTS (FROM t)", "a query of its own"),
        ("b > now() - INTERVAL 1 DAY", "now"),
        ("b > current_date", "current_date"),
        ("random() < 0.5", "random"),
        ("m(a) = 1", "calls m"),
    ],
)
def test_what_is_no_steady_condition_on_the_columns_is_refused(
    shut: tuple[duckdb.DuckDBPyConnection, Table], condition: str, words: str
) -> None:
    con, table = shut
    with pytest.raises(UsageError, match=words):
        refuse_unfit(con, condition, [table])
    refuse_unfit(con, "c AND a BETWEEN 1 AND 2 OR b IS NULL -- or not", [table])


def test_a_condition_goes_with_tables(full: Place) -> None:
    full.run("restore", full.target, "--where", "true").failed(2, "--table")


@pytest.mark.parametrize("lie", ["rows of the file", "rows of the target"])
def test_the_proof_of_some_rows_sees_other_rows(tmp_path: Path, lie: str) -> None:
    with memory_database(tmp_path, "CREATE TABLE t AS SELECT i, 'x' || i AS s FROM range(100) r(i)") as con:
        manifest, files = manifest_of(*exported(con, tmp_path))
        target = tmp_path / "t.duckdb"
        built(manifest, files, target, where="i < 10")
        assert rows(target, "SELECT count(*) FROM t") == [(10,)]
        if lie == "rows of the target":
            with duckdb.connect(target) as restored:
                restored.execute("UPDATE t SET s = 'y' WHERE i = 3")
            words = "restored table main.t does not have the rows"
        else:
            # A row that the condition leaves out counts too.
            (path,) = files.values()
            con.execute(f"COPY (SELECT i, CASE i WHEN 50 THEN 'y' ELSE 'x' || i END AS s FROM t) TO '{path}'")
            words = "objects of table main.t do not hold"
    with pytest.raises(IntegrityError, match=words):
        examine_database(target, manifest, files, [], resources=resources(tmp_path), report=unheard, where="i < 10")
