"""The tables that the writer keeps busy. Needs nothing but DuckDB, of any release."""

import duckdb

ACCOUNTS = 500
TOTAL = ACCOUNTS * 1_000

_TABLES = f"""
CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL);
INSERT INTO accounts SELECT i, {TOTAL // ACCOUNTS} FROM range({ACCOUNTS}) r(i);
CREATE TABLE ledger (sequence BIGINT NOT NULL, source INTEGER, target INTEGER, amount BIGINT, note VARCHAR, digest VARCHAR);
CREATE TABLE span (first BIGINT NOT NULL);
INSERT INTO span VALUES (1);
CREATE TABLE lefts (sequence BIGINT PRIMARY KEY, value BIGINT NOT NULL);
CREATE TABLE rights (sequence BIGINT NOT NULL, value BIGINT NOT NULL);
CREATE TABLE batches (batch BIGINT NOT NULL, rows BIGINT NOT NULL, bumps BIGINT NOT NULL);
CREATE TABLE loads (batch BIGINT NOT NULL, i BIGINT NOT NULL, value BIGINT NOT NULL, word VARCHAR NOT NULL);
CREATE TABLE current (generation BIGINT NOT NULL);
INSERT INTO current VALUES (0);
CREATE TABLE generations (generation BIGINT, rows BIGINT, i BIGINT, digest VARCHAR);
CREATE TABLE ballast (i BIGINT NOT NULL, a UBIGINT, b UBIGINT, c UBIGINT, d UBIGINT);
"""

# MD5 sums do not compress, and are known again from the row's number alone.
BALLAST = ", ".join(f"md5_number_{half}('{word}' || i)" for word in "ab" for half in ("upper", "lower"))
_BALLAST_ROW = 32


def create(con: duckdb.DuckDBPyConnection, megabytes: int) -> None:
    """Make the tables, and rows that nobody touches of about that size, all of it in the file."""
    con.execute(_TABLES)
    con.execute(f"INSERT INTO ballast SELECT i, {BALLAST} FROM range({megabytes * 1_000_000 // _BALLAST_ROW}) r(i)")
    con.execute("CHECKPOINT")
