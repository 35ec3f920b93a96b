"""Wrote tests/golden/format-1, once: `python tests/golden/make.py DIRECTORY`. It is never written again.

Whatever later versions write, they must restore what is there.
"""

import json
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from duckback import Duckback

ROOT = Path(__file__).parent / "format-1"
START = datetime(2026, 1, 5, 3, tzinfo=UTC)

_TABLES = """
CREATE SCHEMA app;
CREATE SEQUENCE app.ids START 7;
CREATE TYPE mood AS ENUM ('calm', 'loud');
CREATE TABLE signals (id BIGINT PRIMARY KEY, seen_at TIMESTAMPTZ, strength DOUBLE, mood mood, tags VARCHAR[]);
CREATE TABLE app."quoted ""it"" name" (id BIGINT, amount DECIMAL(18, 3), big HUGEINT,
    span INTERVAL, payload BLOB, nested STRUCT(a INTEGER, b VARCHAR), clock TIME WITH TIME ZONE);
CREATE TABLE app.unchanged (word VARCHAR NOT NULL CHECK (length(word) > 1), doubled VARCHAR GENERATED ALWAYS AS (word || word));
CREATE TABLE notes (signal BIGINT REFERENCES signals (id), note VARCHAR);
CREATE TABLE app.empty (nothing INTEGER);
CREATE MACRO app.twice(x) AS x * 2;
CREATE VIEW loud AS SELECT id, app.twice(strength) AS twice FROM signals WHERE mood = 'loud';
CREATE INDEX by_time ON signals (seen_at);
COMMENT ON TABLE signals IS 'what was seen';
INSERT INTO signals SELECT i, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_minutes(i::INT), i / 7.0,
    CASE WHEN i % 3 = 0 THEN 'loud' ELSE 'calm' END, ['t' || i % 5, NULL] FROM range(120) r(i);
INSERT INTO app."quoted ""it"" name" SELECT i, i / 8, 170141183460469231731687303715884105727::HUGEINT - i, to_months(1) + to_days(i::INT),
    ('\\x0' || i % 9)::BLOB, {'a': i, 'b': 'b' || i}, TIMETZ '12:00:00+02' FROM range(30) r(i);
INSERT INTO notes SELECT i, 'note ' || i FROM range(9) r(i);
INSERT INTO app.unchanged VALUES ('word'), ('größer'), ('日本');
"""

_CHANGES = (
    (
        'DELETE FROM app."quoted ""it"" name" WHERE id % 4 = 1',
        "UPDATE signals SET strength = -strength WHERE id % 10 = 4",
    ),
    ("INSERT INTO signals SELECT 1000 + i, NULL, 'nan', 'loud', [] FROM range(9) r(i)", "SELECT nextval('app.ids')"),
    ('DELETE FROM app."quoted ""it"" name" WHERE id % 4 = 2', "UPDATE app.empty SET nothing = 1"),
)


def rows_of(con: duckdb.DuckDBPyConnection) -> dict[str, list[list[Any]]]:
    """Every table's rows as text, in an order of their own."""
    tables = con.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
    found: dict[str, list[list[Any]]] = {}
    for schema, name in tables:
        quoted = '"{}"."{}"'.format(*(part.replace('"', '""') for part in (schema, name)))
        rows = con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {quoted} ORDER BY ALL").fetchall()
        found[f"{schema}.{name}"] = [list(row) for row in rows]
    return found


def main(root: Path) -> None:
    """Two fulls, three incrementals; a pin, proofs of every level; the first full and its child are pruned."""
    socket.gethostname = lambda: "golden"
    now = START
    state = root.parent / "state"
    duckback = Duckback(
        root,
        state_dir=state,
        threads=1,
        name="hot",
        clock=lambda: now,
        retention={"keep_last": 3, "keep_within": "0s", "grace": "0s"},
    )
    expected: dict[str, Any] = {}
    with duckdb.connect(":memory:") as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(_TABLES)

        def backup(scope: Any) -> str:
            done = duckback.backup(con, scope=scope)
            expected[str(done.backup_id)] = rows_of(con)
            return str(done.backup_id)

        def change(number: int) -> None:
            for statement in _CHANGES[number]:
                con.execute(statement)

        backup("full")
        now += timedelta(hours=6)
        change(0)
        kept = backup("incremental")
        duckback.pin(kept, "kept for ever: it is the oldest one that must be restored")
        now += timedelta(days=3)
        backup("full")
        now += timedelta(hours=6)
        change(1)
        backup("incremental")
        now += timedelta(hours=6)
        change(2)
        backup("incremental")
    now += timedelta(minutes=1)
    duckback.verify(level="data")
    now += timedelta(minutes=1)
    duckback.test_restore()
    now = datetime.now(UTC)
    for one in duckback.prune().decisions:
        print(one)
    left = {str(one.summary.backup_id) for one in duckback.backups()}
    (root / "expected.json").write_text(
        json.dumps({one: rows for one, rows in expected.items() if one in left}, ensure_ascii=False, indent=0)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
