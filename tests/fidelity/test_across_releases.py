"""A backup that one release of DuckDB took is restored by another: the same rows, the same objects."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.place import Place
from support.snapshots import rows

OLD, NEW = "1.5", "2.0"
FOLDER = Path(sys.prefix, "engines", OLD)

STATEMENTS = (
    "SET lambda_syntax = 'ENABLE_SINGLE_ARROW'",
    "CREATE SCHEMA s",
    "CREATE TYPE mood AS ENUM ('sad', 'it''s')",
    "CREATE SEQUENCE ids START 5 INCREMENT 3 MAXVALUE 17 CYCLE",
    "CREATE SEQUENCE s.unused START 9",
    """CREATE TABLE parents (id BIGINT PRIMARY KEY DEFAULT nextval('ids'), name VARCHAR COLLATE NOCASE NOT NULL,
       twice BIGINT AS (id * 2), CHECK (id > 0))""",
    "CREATE TABLE children (parent BIGINT REFERENCES parents (id), note VARCHAR UNIQUE, day DATE DEFAULT '2026-01-01')",
    """CREATE TABLE leaves (h HUGEINT, i INTERVAL, z TIMETZ, u UNION(n INTEGER, s VARCHAR), b BIT, m mood,
       g GEOMETRY, v VARIANT)""",
    """CREATE TABLE nested (s STRUCT(a INTERVAL[], m MAP(VARCHAR, HUGEINT)), u UNION(n INTEGER, z TIMETZ)[],
       e MAP(mood, BIT), l mood[2], v STRUCT(x VARIANT)[], g STRUCT(g GEOMETRY)[])""",
    "INSERT INTO parents (name) VALUES ('Ann'), ('bob')",
    "INSERT INTO children VALUES (5, 'x', NULL), (NULL, NULL, '0001-01-01 (BC)')",
    """INSERT INTO leaves VALUES (170141183460469231731687303715884105727, INTERVAL '14 months 3 days 7 microseconds',
       '12:34:56.789+15:59', 'x'::VARCHAR, '0101', 'it''s', 'POINT (1 2)', {'a': [1, NULL], 'b': DATE '2026-01-01'}),
       (-170141183460469231731687303715884105728, INTERVAL '49 hours', '00:00:00-15:59', 1::INTEGER, '1', 'sad',
       'POLYGON EMPTY', 1.5::DOUBLE), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
    """INSERT INTO nested VALUES ({'a': [INTERVAL '1 month', NULL], 'm': MAP {'k': 170141183460469231731687303715884105727}},
       [1::UNION(n INTEGER, z TIMETZ), '01:02:03-05'::TIMETZ::UNION(n INTEGER, z TIMETZ), NULL], MAP {'sad': '10'::BIT},
       ['sad', NULL], [{'x': 'text'}, {'x': NULL}], [{'g': 'LINESTRING (0 0, 1 1)'}]),
       (NULL, [], MAP {}, NULL, NULL, NULL), ({'a': NULL, 'm': NULL}, NULL, NULL, ['it''s', 'sad'], [], [NULL])""",
    "CREATE INDEX children_day ON children (day)",
    "CREATE UNIQUE INDEX names ON parents (lower(name))",
    "CREATE MACRO plus(a, b := 5, c := 'it''s'::mood) AS {'sum': a + b, 'c': c}",
    "CREATE MACRO s.bigger(l, than := 1) AS list_filter(l, x -> x > than)",
    "CREATE MACRO up_to(n, step := 2) AS TABLE SELECT i * step AS x FROM range(n) r(i)",
    "CREATE VIEW arrow AS SELECT list_transform([1, 2], x -> x + 1) AS l",
    "CREATE VIEW s.keyword AS SELECT list_transform([1, 2], lambda x: x + 1) AS l",
    "CREATE VIEW notes (who, what) AS SELECT name, note FROM parents JOIN children ON id = parent",
    "COMMENT ON TABLE parents IS 'it''s'",
    "COMMENT ON COLUMN parents.name IS 'two\nlines'",
    "COMMENT ON VIEW notes IS 'view'",
    "COMMENT ON INDEX names IS 'index'",
    "COMMENT ON MACRO plus IS 'macro'",
    "COMMENT ON MACRO TABLE up_to IS 'table macro'",
    "COMMENT ON TYPE mood IS 'type'",
    "COMMENT ON SEQUENCE ids IS 'sequence'",
)

ANSWERS = (
    "FROM arrow",
    "FROM s.keyword",
    "FROM notes",
    "SELECT plus(1), plus(1, b := 2, c := 'sad')",
    "SELECT s.bigger([1, 2, 3]), s.bigger([1, 2, 3], than := 2)",
    "SELECT x FROM up_to(3) UNION ALL SELECT x FROM up_to(2, step := 7)",
    "SELECT count(*) FROM parents WHERE name = 'BOB'",
    "SELECT list(variant_typeof(v)) FROM leaves",
    "SELECT nextval('ids'), nextval('s.unused') FROM range(4)",
    "SELECT schema_name, table_name, comment, estimated_size FROM duckdb_tables() ORDER BY ALL",
    "SELECT table_name, column_name, data_type, column_default, is_nullable, comment FROM duckdb_columns() ORDER BY ALL",
    "SELECT schema_name, view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
    "SELECT index_name, table_name, is_unique, expressions, comment FROM duckdb_indexes() ORDER BY ALL",
    "SELECT sequence_name, min_value, max_value, increment_by, cycle, comment FROM duckdb_sequences() ORDER BY ALL",
    "SELECT type_name, comment, labels FROM duckdb_types() WHERE NOT internal AND database_name <> 'system' ORDER BY ALL",
    """SELECT function_name, function_type, parameters, comment FROM duckdb_functions()
       WHERE NOT internal AND macro_definition IS NOT NULL ORDER BY ALL""",
    """SELECT table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names
       FROM duckdb_constraints() ORDER BY ALL""",
)

MAKE = """
path, version, *statements = sys.argv[2:]
con.execute(f"ATTACH '{path}' AS source (STORAGE_VERSION '{version}')")
con.execute("USE source")
for statement in statements:
    con.execute(statement)
con.close()
"""

READ = """
before, after, *queries = sys.argv[2:]
answers = []
for path in (before, after):
    con.execute(f"ATTACH '{path}' AS source")
    con.execute("USE source")
    tables = con.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
    asked = [f"SELECT COLUMNS(*)::VARCHAR, typeof(COLUMNS(*)) FROM {name}" for (name,) in tables] + queries
    answers.append([repr(con.execute(query).fetchall()) for query in asked])
    con.execute("USE memory")
    con.execute("DETACH source")
print(json.dumps([asked, *answers]))
"""

START = """
import json, sys, duckdb
assert duckdb.__version__.startswith(sys.argv[1]), duckdb.__version__
con = duckdb.connect()
con.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
"""


def environment(engine: str) -> dict[str, str]:
    """What makes a child have this release, whichever the tests themselves have."""
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and Path(path) != FOLDER]
    if engine == OLD:
        assert (FOLDER / "duckdb").is_dir(), "run make test once"
        others.insert(0, str(FOLDER))
    return {"PYTHONPATH": os.pathsep.join(others)}


def python(engine: str, code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", START + code, engine, *map(str, arguments)],
        env={**os.environ, **environment(engine)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def backed_up(place: Place, engine: str, version: str, *statements: str) -> Path:
    path = place.root / "source.duckdb"
    python(engine, MAKE, path, version, *statements)
    place.spawn("backup", path, environment=environment(engine)).worked()
    manifest: dict[str, Any] = place.spawn("show", "--json", environment=environment(NEW)).worked().json["manifest"]
    assert manifest["engine"]["duckdb_version"].startswith(engine)
    return path


BOTH_WAYS = pytest.mark.parametrize(("taken_by", "restored_by"), [(OLD, NEW), (NEW, OLD)])


def read_alike(engine: str, source: Path, target: Path, *queries: str) -> int:
    """Compare what the release answers on both files; returns how many queries there were."""
    asked, before, after = json.loads(python(engine, READ, source, target, *queries))
    assert dict(zip(asked, after, strict=True)) == dict(zip(asked, before, strict=True))
    return len(asked)


@BOTH_WAYS
def test_rows_and_objects_are_the_same_under_either_release(place: Place, taken_by: str, restored_by: str) -> None:
    source = backed_up(place, taken_by, "v1.5.0", *STATEMENTS)
    ran = place.spawn("restore", place.target, "--json", environment=environment(restored_by)).worked()
    assert ran.json["deferred"] == []
    for reader in (restored_by, taken_by):
        assert read_alike(reader, source, place.target, *ANSWERS) == len(ANSWERS) + 4


@BOTH_WAYS
def test_intervals_that_the_releases_hash_differently_are_no_damage(
    place: Place, taken_by: str, restored_by: str
) -> None:
    source = backed_up(place, taken_by, "v1.5.0", "CREATE TABLE t AS SELECT INTERVAL '1 month -3 days' AS i")
    place.spawn("restore", place.target, environment=environment(restored_by)).worked()
    assert read_alike(restored_by, source, place.target) == 1


def test_a_release_that_cannot_write_the_storage_version_writes_its_newest(place: Place) -> None:
    backed_up(place, NEW, "v2.0.0", "CREATE TABLE t AS SELECT {'a': [1, NULL]}::VARIANT AS v")
    place.spawn("restore", place.target, environment=environment(OLD)).worked()
    assert rows(place.target, "SELECT v::VARCHAR, variant_typeof(v) FROM t") == [("{'a': [1, NULL]}", "OBJECT(a)")]


def test_triggers_are_deferred_by_a_release_that_has_none(place: Place) -> None:
    trigger = "CREATE TRIGGER counts AFTER INSERT ON src FOR EACH STATEMENT INSERT INTO log SELECT 1"
    tables = ("CREATE TABLE src AS SELECT 7 AS i", "CREATE TABLE log (i INTEGER)")
    backed_up(place, NEW, "v2.0.0", *tables, trigger)
    ran = place.spawn("restore", place.target, environment=environment(OLD))
    ran.failed(3, "trigger main.counts could not be created")
    assert "CREATE TRIGGER counts" in place.target.with_name(f"{place.target.name}.deferred.sql").read_text()
    assert rows(place.target, "FROM src") == [(7,)]


def test_signs_of_zeros_that_a_release_reads_and_cannot_store_are_in_its_backup(place: Place) -> None:
    source, exact = place.root / "source.duckdb", place.root / "exact.duckdb"
    zeros = "CREATE TABLE t AS SELECT (CASE WHEN i % 3 = 1 THEN '-0.0' ELSE '0.0' END)::DOUBLE AS d FROM range(30) r(i)"
    python(NEW, MAKE, source, "v1.5.0", zeros)
    place.spawn("backup", source, environment=environment(OLD)).worked()
    place.spawn("restore", exact, environment=environment(NEW)).worked()
    assert rows(exact, "SELECT count(*) FILTER (signbit(d)), count(*) FROM t") == [(10, 30)]
    ran = place.spawn("restore", place.target, environment=environment(OLD)).worked()
    assert "table main.t: DuckDB 1.5" in ran.err
    assert "sign of every zero" in ran.err
