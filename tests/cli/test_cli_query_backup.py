"""duckback query on a backup, and sql-script; what is asked of backup_metadata is in test_cli_query.py."""

import csv
import subprocess

import duckdb
from support.place import Place
from support.snapshots import rows


def test_a_table_of_text_an_exact_document_and_csv(history: Place) -> None:
    sql = "SELECT id, name || ',' AS name, 1::HUGEINT AS h, CASE WHEN false THEN id END AS x FROM people ORDER BY id LIMIT 2; "
    assert history.run("query", sql).worked().out == "0\tperson 0,\t1\t\n1\tperson 1,\t1\t\n"
    assert history.run("query", sql, "--json").worked().json == {
        "schema": "duckback.query/1",
        "columns": [
            {"name": "id", "type": "INTEGER"},
            {"name": "name", "type": "VARCHAR"},
            {"name": "h", "type": "HUGEINT"},
            {"name": "x", "type": "INTEGER"},
        ],
        "rows": [[0, "person 0,", "1", None], [1, "person 1,", "1", None]],
    }
    lines = history.run("query", sql, "--csv").worked().out.splitlines()
    assert list(csv.reader(lines)) == [
        ["id", "name", "h", "x"],
        ["0", "person 0,", "1", ""],
        ["1", "person 1,", "1", ""],
    ]


def test_parquet_holds_the_rows_exactly_and_says_what_is_not_as_it_is(history: Place) -> None:
    target = history.root / "out.parquet"
    ran = history.run("query", "SELECT name AS a, id AS a, sum(id) AS s FROM people GROUP BY ALL", "--parquet", target)
    assert "column s is stored as text" in ran.worked().err
    assert rows(duckdb.connect(), f"SELECT count(*), sum(s::INTEGER) FROM '{target}'") == [(50, 1225)]
    history.run("query", "SELECT 1", "--parquet", target).failed(2, "exists")
    piped = subprocess.run(
        history.command("query", "FROM people", "--parquet", "-"), capture_output=True, check=True, cwd=history.root
    )
    target.write_bytes(piped.stdout)
    assert rows(duckdb.connect(), f"SELECT count(*) FROM '{target}'") == [(50,)]
    history.run("query", "SELECT 1", "--parquet", target, "--csv").failed(2, "exclude one another")


def test_every_backup_can_be_asked_by_id_and_time(history: Place) -> None:
    first, _, last = history.backup_ids()
    sql = "SELECT count(*) FROM visits WHERE note = 'changed'"
    assert history.run("query", sql, "--backup", last).worked().out == "2\n"
    (shown,) = [one for one in history.run("list", "--json").json["backups"] if one["id"] == first]
    assert history.run("query", sql, "--at", shown["snapshot_at"]).worked().out == "0\n"
    history.run("query", sql, "--at", "2020-01-01").failed(12, "no backup")
    history.run("query", sql, "--at", "2020-01-01", "--backup", first).failed(2, "--backup or --at")
    history.run("query", sql, "--metadata", "--csv").failed(2, "--metadata")


def test_a_wrong_query_is_a_wrong_call(full: Place) -> None:
    full.run("query", f"FROM '{full.repo}/repository.json'").failed(2, "disabled by configuration")
    full.run("query", "FROM nowhere").failed(2, "nowhere", "SHOW ALL TABLES")


def test_a_damaged_object_is_an_integrity_error_and_other_tables_can_be_asked(full: Place) -> None:
    (visits,) = [path for path in full.objects() if ".visits." in path.name]
    visits.chmod(0o600)
    visits.write_bytes(visits.read_bytes() + b"x")
    full.run("query", "FROM visits").failed(20, "bytes instead of", "verify")
    full.run("query", "FROM people").worked()
    visits.unlink()
    full.run("query", "FROM visitors").failed(20, "missing")
    assert full.staged() == []
