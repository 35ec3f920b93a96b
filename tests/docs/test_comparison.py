"""What docs/comparison.md says of EXPORT DATABASE: where DuckDB mends it, the page has to change."""

from pathlib import Path

import duckdb
import pytest

DATABASE = """
CREATE TABLE t (pause INTERVAL, moment TIMETZ);
INSERT INTO t VALUES (INTERVAL '1 month 3 days 2 hours 5 microseconds', '12:00:00+05:30');
COMMENT ON TABLE t IS 'a comment';
"""
VIEWS = """
CREATE TABLE t (a INTEGER);
CREATE VIEW first AS SELECT * FROM t;
CREATE VIEW second AS SELECT * FROM t;
CREATE OR REPLACE VIEW first AS SELECT * FROM second;
"""
TO_ITSELF = "CREATE TABLE f (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES f (id));"


def exported(statements: str, folder: Path) -> duckdb.DuckDBPyConnection:
    with duckdb.connect(folder / "a.duckdb") as con:
        con.execute(statements)
        con.execute(f"EXPORT DATABASE '{folder / 'out'}' (FORMAT parquet, COMPRESSION zstd)")
    return duckdb.connect(folder / "b.duckdb")


def test_an_export_loses_comments_microseconds_of_intervals_and_offsets_of_times(tmp_path: Path) -> None:
    with exported(DATABASE, tmp_path) as con:
        con.execute(f"IMPORT DATABASE '{tmp_path / 'out'}'")
        assert con.execute("SELECT comment FROM duckdb_tables()").fetchall() == [(None,)]
        found = con.execute("SELECT pause::VARCHAR, moment::VARCHAR FROM t").fetchall()
        assert found == [("1 month 3 days 02:00:00", "06:30:00+00")]


def test_an_export_of_a_view_that_uses_a_younger_one_cannot_be_imported(tmp_path: Path) -> None:
    with exported(VIEWS, tmp_path) as con, pytest.raises(duckdb.CatalogException, match="second does not exist"):
        con.execute(f"IMPORT DATABASE '{tmp_path / 'out'}'")


def test_a_foreign_key_to_the_same_table_is_refused_or_lost(tmp_path: Path) -> None:
    if not duckdb.__version__.startswith("1."):
        with pytest.raises(duckdb.BinderException, match="self-referencing foreign key"):
            exported(TO_ITSELF, tmp_path)
        return
    with exported(TO_ITSELF, tmp_path) as con:
        con.execute(f"IMPORT DATABASE '{tmp_path / 'out'}'")
        found = con.execute("SELECT constraint_type FROM duckdb_constraints()").fetchall()
        assert ("FOREIGN KEY",) not in found
