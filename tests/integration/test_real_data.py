"""Real data, through the whole of Duckback: back up, restore, compare in both directions."""

from pathlib import Path

import duckdb
import pytest
from support.flights import TABLES, build_flights
from support.snapshots import rows

from duckback import Duckback

FLIGHTS = 130_000


@pytest.fixture(scope="module")
def source_and_restored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("flights")
    source = build_flights(folder / "flights.duckdb", flights=FLIGHTS)
    repo = Duckback(folder / "repo", state_dir=folder / "state", threads=2)
    repo.backup(source)
    repo.restore(folder / "restored.duckdb")
    (verified,) = repo.verify().results
    assert verified.problems == ()
    return source, folder / "restored.duckdb"


def test_every_row_of_every_table_comes_back_and_no_other(source_and_restored: tuple[Path, Path]) -> None:
    source, restored = source_and_restored
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{source}' AS a (READ_ONLY)")
        con.execute(f"ATTACH '{restored}' AS b (READ_ONLY)")
        counts = {}
        for table in TABLES:
            for one, other in (("a", "b"), ("b", "a")):
                assert rows(con, f"FROM {one}.{table} EXCEPT ALL FROM {other}.{table}") == []
            ((counts[table],),) = rows(con, f"SELECT count(*) FROM b.{table}")
        assert counts == {
            "airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115, "flights": FLIGHTS
        }  # fmt: skip
        assert rows(con, "SELECT count(*) FROM b.flights WHERE dep_time IS NULL") == rows(
            con, "SELECT count(*) FROM a.flights WHERE dep_time IS NULL"
        )


def test_the_rows_are_in_the_order_in_which_they_were(source_and_restored: tuple[Path, Path]) -> None:
    source, restored = source_and_restored
    query = "SELECT hash(list((carrier, flight, time_hour) ORDER BY rowid)) FROM flights"
    assert rows(source, query) == rows(restored, query)


def test_view_comment_index_and_constraints_are_there(source_and_restored: tuple[Path, Path]) -> None:
    source, restored = source_and_restored
    for query in (
        "SELECT name, round(mean_delay, 6) FROM delays ORDER BY ALL",
        "SELECT table_name, column_count, index_count, check_constraint_count, comment FROM duckdb_tables() ORDER BY ALL",
        "SELECT table_name, constraint_type, constraint_column_names, referenced_table FROM duckdb_constraints() ORDER BY ALL",
        "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE NOT internal ORDER BY ALL",
        "SELECT index_name, sql FROM duckdb_indexes() ORDER BY ALL",
    ):
        assert rows(restored, query) == rows(source, query) != []


REFUSED = (
    "INSERT INTO airlines VALUES ('AA', 'again')",
    "INSERT INTO airlines VALUES ('XX', NULL)",
    "INSERT INTO airports (faa, name, lat, lon) VALUES ('XXX', 'nowhere', 91, 0)",
    "INSERT INTO weather (origin, time_hour) VALUES ('XXX', now())",
    "INSERT INTO weather FROM weather LIMIT 1",
    "INSERT INTO flights SELECT * REPLACE ('XX' AS carrier) FROM flights LIMIT 1",
    "INSERT INTO flights SELECT * REPLACE (-1 AS distance) FROM flights LIMIT 1",
    "DELETE FROM airlines",
)


def test_the_restored_constraints_are_enforced(source_and_restored: tuple[Path, Path]) -> None:
    _, restored = source_and_restored
    with duckdb.connect(restored) as con:
        for refused in REFUSED:
            with pytest.raises(duckdb.ConstraintException):
                con.execute(refused)
