"""A backup that is opened where it lies shows what the source held: by `query`, and in a plain DuckDB by `sql-script`."""

import shutil
from pathlib import Path

import duckdb
import pytest
from support.databases import database
from support.place import Place
from support.snapshots import rows

from duckback.source.sql import qualified

RICH = (
    "CREATE SCHEMA s",
    'CREATE SCHEMA "od""d"',
    "CREATE TYPE mood AS ENUM ('sad', 'it''s fine')",
    "CREATE SEQUENCE numbers START 7",
    "CREATE MACRO twice(x) AS x * 2",
    """CREATE TABLE made (a INTEGER DEFAULT nextval('numbers'), "c d" BIGINT GENERATED ALWAYS AS (b + 1),
       b BIGINT GENERATED ALWAYS AS (twice(a)), name VARCHAR COLLATE NOCASE, happy mood)""",
    "CREATE TABLE s.wide (h HUGEINT, i INTERVAL, u UNION(n INTEGER, t VARCHAR), f FLOAT[2], m MAP(VARCHAR, UHUGEINT))",
    'CREATE TABLE "od""d"."made" (t TIME WITH TIME ZONE, "select" BLOB, "file_index" TIMESTAMP_S)',
    "CREATE TABLE v (x VARIANT, i INTEGER)",
    "CREATE TABLE nothing (i INTEGER)",
    "CREATE VIEW of_view AS SELECT name, count(*) AS n FROM made GROUP BY ALL",
    "CREATE VIEW s.top AS SELECT max(n) AS most FROM of_view",
    "CREATE MACRO since(x) AS TABLE SELECT a FROM made WHERE a >= x",
    "INSERT INTO made (name, happy) SELECT 'Name ' || (i % 9), enum_range(NULL::mood)[1 + i % 2] FROM range(3000) t(i)",
    """INSERT INTO s.wide SELECT i::HUGEINT << 70, to_months(i::INTEGER) + to_days(40), CASE i % 2 WHEN 0 THEN union_value(n := i::INTEGER)::UNION(n INTEGER, t VARCHAR)
       ELSE union_value(t := 'it''s')::UNION(n INTEGER, t VARCHAR) END, [i, -i], MAP {'k' || i: i::UHUGEINT} FROM range(50) t(i)""",
    """INSERT INTO "od""d".made SELECT TIME '10:00:00' + to_seconds(i), 'a'::BLOB, make_timestamp(i) FROM range(9) t(i)""",
    "INSERT INTO v SELECT {'i': i}::VARIANT, i FROM range(20) t(i)",
)
CHANGES = (
    "UPDATE made SET name = 'changed' WHERE a % 500 = 0",
    "DELETE FROM made WHERE a % 700 = 0",
    "INSERT INTO made (name, happy) VALUES ('new', NULL)",
    "DELETE FROM s.wide WHERE h = 0",
    "INSERT INTO v VALUES ('text'::VARIANT, 99)",
)
VIEWS = (("main", "of_view"), ("s", "top"))


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, dict[str, Path]]:
    """A full and two incrementals; each one's id → the database as it was then."""
    place = Place(tmp_path_factory.mktemp("in-place"))
    path = place.root / "rich.duckdb"
    then = []
    for number, changes in enumerate([RICH, CHANGES, CHANGES[:1]]):
        with duckdb.connect(path, config={"storage_compatibility_version": "latest"}) as con:
            for change in changes:
                con.execute(change)
        place.run("backup", path).worked()
        then.append(Path(shutil.copy(path, place.root / f"then-{number}.duckdb")))
    return place, dict(zip(place.backup_ids(), then, strict=True))


def tables_of(path: Path) -> list[tuple[str, str]]:
    return [*rows(path, "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL"), *VIEWS]


def refuse_differences(con: duckdb.DuckDBPyConnection, opened: str, then: Path) -> None:
    con.execute(f"ATTACH '{then}' AS origin (READ_ONLY)")
    found = tables_of(then)
    assert len(found) == 7
    for table in found:
        ours, theirs = qualified(opened, *table), qualified("origin", *table)
        types = [
            con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {one})").fetchall() for one in (ours, theirs)
        ]
        assert types[0] == types[1], table
        # Compared as text: a VARIANT hashes as it is laid out.
        texts = [sorted(con.execute(f"SELECT t::VARCHAR FROM {one} t").fetchall()) for one in (ours, theirs)]
        assert texts[0] == texts[1], table
    con.execute("DETACH origin")


def test_a_plain_duckdb_shows_every_backup_by_its_script(backups: tuple[Place, dict[str, Path]]) -> None:
    place, then = backups
    for backup, path in then.items():
        script = place.run("sql-script", "--backup", backup).worked().out
        with duckdb.connect() as con:
            con.execute(script)
            refuse_differences(con, "rich", path)
            assert con.execute("FROM since(3000) ORDER BY a").fetchall() == rows(path, "FROM since(3000) ORDER BY a")
            assert con.execute("SELECT count(*) FROM made WHERE name = 'NAME 3'").fetchall() != [(0,)]


def test_a_query_shows_values_and_types_as_the_source_had_them(backups: tuple[Place, dict[str, Path]]) -> None:
    place, then = backups
    _, backup, _ = then
    for sql in (
        """SELECT "c d", name, happy, b FROM made WHERE name = 'NAME 3' ORDER BY a""",
        "FROM s.wide ORDER BY h",
        "SELECT i, x, variant_typeof(x), (FROM s.top) FROM v ORDER BY i",
        'FROM "od""d".made ORDER BY ALL',
    ):
        answer = place.run("query", sql, "--backup", backup, "--json").worked().json
        with duckdb.connect(then[backup], read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            expected = con.sql(sql)
            types = [{"name": n, "type": str(t)} for n, t in zip(expected.columns, expected.types, strict=True)]
            assert answer["columns"] == types
            text = [[None if v is None else str(v) for v in row] for row in answer["rows"]]
            values = ", ".join(
                f"lower(hex(#{i}))" if kind["type"] == "BLOB" else f"#{i}::VARCHAR" for i, kind in enumerate(types, 1)
            )
            assert text == [list(row) for row in con.execute(f"SELECT {values} FROM ({sql})").fetchall()], sql


def test_a_script_names_what_it_leaves_out_and_checks_nothing(place: Place) -> None:
    path = database(
        place.root / "d.duckdb",
        f"CREATE TABLE t AS SELECT 1 AS i; COPY t TO '{place.root}/x.csv'",
        f"CREATE VIEW \"bad\nDROP TABLE t; --\" AS FROM read_csv('{place.root}/x.csv')",
    )
    place.run("backup", path).worked()
    script = place.run("sql-script").worked().out
    assert "-- Not made, view main.bad DROP TABLE t; --:" in script
    with duckdb.connect() as con:
        con.execute(script)
        assert con.execute("FROM t").fetchall() == [(1,)]
