"""A hot tier to try things on: the mission's eight tables over seven days, the same at every call."""

from pathlib import Path

import duckdb

from duckback.source.engine import set_session, translated
from duckback.source.sql import literal, qualified

# Values are taken from hash(), so that the same call makes the same rows on every machine.
_SCHEMA = """
CREATE TYPE severity AS ENUM ('info', 'low', 'medium', 'high', 'critical');
CREATE SEQUENCE note_ids START 1001;
CREATE TABLE tenants (
    id INTEGER PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, region VARCHAR, created_at TIMESTAMPTZ NOT NULL);
CREATE TABLE users (
    id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id), email VARCHAR NOT NULL,
    roles VARCHAR[], settings JSON, updated_at TIMESTAMPTZ);
CREATE TABLE rules (
    id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id), name VARCHAR NOT NULL,
    severity severity NOT NULL, threshold DECIMAL(12, 4) CHECK (threshold >= 0), enabled BOOLEAN DEFAULT true,
    tags MAP(VARCHAR, VARCHAR), updated_at TIMESTAMPTZ);
CREATE TABLE signals (
    id BIGINT NOT NULL, tenant_id INTEGER NOT NULL, rule_id INTEGER, observed_at TIMESTAMP NOT NULL,
    severity severity NOT NULL, score DOUBLE, source_ip VARCHAR, message VARCHAR, trace_id UUID,
    labels STRUCT(host VARCHAR, port USMALLINT), raw BLOB);
CREATE TABLE notification_configs (
    id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id), channel VARCHAR, target VARCHAR,
    min_severity severity DEFAULT 'medium', muted_until TIMESTAMPTZ);
CREATE TABLE backup_metadata (
    id UUID PRIMARY KEY, backup_type VARCHAR, backup_scope VARCHAR, start_time TIMESTAMPTZ, status VARCHAR,
    backup_size_bytes BIGINT, backup_location VARCHAR, checksum VARCHAR, retention_until DATE);
CREATE TABLE investigation_notes (
    id BIGINT PRIMARY KEY DEFAULT nextval('note_ids'), signal_id BIGINT, author_id INTEGER REFERENCES users (id),
    body VARCHAR, created_at TIMESTAMPTZ);
CREATE TABLE investigation_events (
    id BIGINT PRIMARY KEY, note_id BIGINT REFERENCES investigation_notes (id), kind VARCHAR, payload JSON,
    happened_at TIMESTAMPTZ);
"""

_ROWS = """
INSERT INTO tenants SELECT i, 'tenant-' || i, ['eu', 'us', 'ap'][1 + i % 3], $start + to_hours(i::INT)
    FROM range(20) r(i);
INSERT INTO users SELECT i, i % 20, 'user' || i || '@example.com', ['analyst', 'admin'][1 : 1 + i % 2],
    json_object('theme', 'dark', 'page', i % 50), $start + to_minutes(i::INT) FROM range(500) r(i);
INSERT INTO rules SELECT i, i % 20, 'rule ' || i, enum_range(NULL::severity)[1 + i % 5], i * 0.25, i % 7 <> 0,
    MAP {{'team': 'blue', 'ticket': i::VARCHAR}}, $start + to_minutes(i::INT) FROM range(200) r(i);
INSERT INTO signals SELECT i, h % 20, CASE WHEN h % 11 = 0 THEN NULL ELSE h % 200 END,
    TIMESTAMP '2026-11-16' + to_microseconds((i::HUGEINT * 604800000000 // {signals})::BIGINT),
    enum_range(NULL::severity)[1 + (h % 5)::INT], (h % 1000000) / 1000.0,
    '10.' || h % 256 || '.' || (h >> 8) % 256 || '.' || (h >> 16) % 256, 'signal ' || md5(i::VARCHAR),
    md5('trace' || i)::UUID, {{'host': 'host-' || h % 300, 'port': (h % 65536)::USMALLINT}},
    CASE WHEN h % 13 = 0 THEN encode(md5(h::VARCHAR)) END
    FROM (SELECT i, hash(i, 'signal') AS h FROM range({signals}) r(i));
INSERT INTO notification_configs SELECT i, i % 20, ['mail', 'slack', 'pager'][1 + i % 3], 'target-' || i,
    'high', CASE WHEN i % 4 = 0 THEN $start + to_days(i::INT) END FROM range(60) r(i);
INSERT INTO backup_metadata SELECT md5('backup' || i)::UUID, 'duckdb', 'full', $start + to_days(i::INT), 'completed',
    1000000 + i, 's3://bucket/key-' || i, sha256(i::VARCHAR), DATE '2027-02-14' + i::INT FROM range(7) r(i);
INSERT INTO investigation_notes (signal_id, author_id, body, created_at)
    SELECT i * 37, i % 500, 'note über ' || i || ' — ✓', $start + to_minutes(i::INT) FROM range(4000) r(i);
INSERT INTO investigation_events SELECT i, 1001 + i % 4000, ['opened', 'assigned', 'closed'][1 + i % 3],
    json_object('by', i % 500, 'text', 'é' || i), $start + to_seconds(i::INT) FROM range(12000) r(i);
COMMENT ON TABLE signals IS 'what the rules have seen in the last seven days';
"""

_VIEWS_AND_INDEX = """
CREATE VIEW open_signals AS SELECT * FROM signals WHERE severity >= 'high';
CREATE VIEW busiest_tenants AS
    SELECT t.name, count(*) AS signals FROM open_signals s JOIN tenants t ON t.id = s.tenant_id GROUP BY 1;
CREATE INDEX signals_by_trace ON signals (trace_id);
"""


def build_hot_tier(path: Path, signals: int, *, is_bare: bool = False) -> None:
    """Make a database file of eight tables with keys, an enum, a sequence, views, an index and a comment.

    Args:
        path: must not exist.
        signals: rows of the largest table, spread over seven days.
        is_bare: without the views and the index.

    Raises:
        SourceError: the file cannot be made.
    """
    rows = _ROWS.format(signals=signals).replace("$start", "TIMESTAMPTZ '2026-11-16 00:00:00+00'")
    with translated(str(path)), duckdb.connect(path) as con:
        set_session(con)
        con.execute(_SCHEMA)
        con.execute(rows)
        if not is_bare:
            con.execute(_VIEWS_AND_INDEX)


def differing_rows(one: Path, other: Path) -> dict[str, int]:
    """Compare two database files table by table, row by row.

    Returns:
        By table, how many rows are in one and not in the other, duplicates counted, both ways together.

    Raises:
        SourceError: a file cannot be read, or lacks a table that the other has.
    """
    with translated(f"{one} and {other}"), duckdb.connect() as con:
        set_session(con)
        for name, path in (("one", one), ("other", other)):
            con.execute(f"ATTACH {literal(str(path))} AS {name} (READ_ONLY)")
        tables = con.execute(
            "SELECT DISTINCT schema_name, table_name FROM duckdb_tables()"
            " WHERE database_name IN ('one', 'other') ORDER BY ALL"
        ).fetchall()
        return {f"{schema}.{table}": _difference(con, schema, table) for schema, table in tables}


def _difference(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    one, other = qualified("one", schema, table), qualified("other", schema, table)
    counts = [
        con.execute(f"SELECT count(*) FROM (SELECT * FROM {left} EXCEPT ALL SELECT * FROM {right})").fetchall()[0][0]
        for left, right in ((one, other), (other, one))
    ]
    return int(sum(counts))


def damage(path: Path) -> None:
    """Overwrite a database file from its third header on, as a failing disk or a bad script would."""
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * min(1 << 20, path.stat().st_size - 8192))
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def is_readable(path: Path) -> bool:
    """Whether DuckDB can open the file and read all of its tables."""
    try:
        with duckdb.connect(path, read_only=True) as con:
            for (table,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                con.execute(f"SELECT sum(hash(*COLUMNS(*))) FROM {qualified(table)}").fetchall()
    except duckdb.Error:
        return False
    return True
