"""duckback restore, as scripts and people see it."""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from support.place import ROWS, TABLES, Place, small_database


def test_json_is_one_document_of_the_documented_shape(full: Place) -> None:
    answer = full.spawn("restore", full.target, "--json").worked().json
    fields = ["schema", "id", "name", "target", "rows", "tables", "seconds", "proof", "notices", "deferred"]
    assert list(answer) == fields
    assert answer["schema"] == "duckback.restore/1"
    assert (answer["id"], answer["name"]) == (full.backup_ids()[0], "small")
    assert (answer["target"], answer["rows"], answer["tables"]) == (str(full.target), ROWS, TABLES)
    assert "verify-restored-database" in answer["seconds"]
    assert full.restored_is_equal()


def test_restored_file_has_the_keys_views_indexes_and_sequence(full: Place) -> None:
    out = full.run("restore", full.target).worked().out
    assert f"restored {ROWS} rows of {TABLES} tables to {full.target}" in out
    assert full.beside_target() == ["small.duckdb"]
    with duckdb.connect(full.target) as con:
        assert con.execute("SELECT count(*) FROM visitors").fetchone() == (50,)
        assert con.execute("SELECT nextval('ids')").fetchone() == (5,)
        assert con.execute("SELECT index_name FROM duckdb_indexes()").fetchall() == [("visits_at",)]
        with pytest.raises(duckdb.ConstraintException):
            con.execute("INSERT INTO visits VALUES (999, now(), '')")


def test_force_keeps_what_was_there_and_says_where(full: Place) -> None:
    full.target.write_bytes(b"precious")
    Path(f"{full.target}.wal").write_bytes(b"its wal")
    out = full.run("restore", full.target, "--force").worked().out
    (kept,) = [name for name in full.beside_target() if ".before-" in name and not name.endswith(".wal")]
    assert f"what was there before is now {full.target.with_name(kept)}" in out
    assert full.target.with_name(kept).read_bytes() == b"precious"
    assert full.target.with_name(f"{kept}.wal").read_bytes() == b"its wal"
    assert len(full.beside_target()) == 3
    assert full.restored_is_equal()


def test_backup_option_takes_the_beginning_of_an_id_and_the_default_is_the_newest(full: Place) -> None:
    (old,) = full.backup_ids()
    with duckdb.connect(full.database) as con:
        con.execute("INSERT INTO people VALUES (1000, 'new')")
    full.run("backup", full.database).worked()
    assert full.run("restore", full.target, "--json").worked().json["rows"] == ROWS + 1
    other = full.root / "old.duckdb"
    assert full.run("restore", other, "--backup", old, "--json").worked().json["rows"] == ROWS
    assert full.run("restore", full.root / "l", "--backup", "latest", "--json").worked().json["rows"] == ROWS + 1


def test_at_takes_the_newest_backup_not_after_that_time(full: Place) -> None:
    first = full.run("list", "--json").json["backups"][0]
    full.run("backup", full.database).worked()
    at = first["snapshot_at"]
    assert full.run("restore", full.target, "--at", at, "--json").worked().json["id"] == first["id"]
    before = datetime.fromisoformat(at) - timedelta(microseconds=1)
    ran = full.run("restore", full.root / "x", "--at", before.isoformat())
    ran.failed(12, "no backup of 'small' at or before", "duckback list")


def test_time_without_a_zone_is_utc_and_no_time_is_a_usage_error(full: Place) -> None:
    snapshot = datetime.fromisoformat(full.run("list", "--json").json["backups"][0]["snapshot_at"])
    assert full.run("restore", full.target, "--at", snapshot.replace(tzinfo=None).isoformat()).code == 0
    full.run("restore", full.root / "x", "--at", "yesterday").failed(2, "'yesterday'", "2026-11-23T03:00:00Z")


def test_backup_and_time_together_are_a_usage_error(full: Place) -> None:
    ran = full.run("restore", full.target, "--backup", full.backup_ids()[0], "--at", "2030-01-01")
    ran.failed(2, "either --backup or --at")


def test_storage_version_option_makes_an_older_file(full: Place) -> None:
    full.run("restore", full.target, "--storage-version", "v1.5.0").worked()
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{full.target}' AS t (READ_ONLY)")
        tags = con.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 't'").fetchall()
    assert "v1.5.0" in str(tags)
    full.run("restore", full.root / "x", "--storage-version", "v9").failed(2, "v9")


def test_name_chooses_among_several_databases(full: Place) -> None:
    other = small_database(full.root / "other.duckdb", "CREATE TABLE t AS SELECT 1 AS i")
    full.run("backup", other).worked()
    full.run("restore", full.target).failed(2, "other, small", "--name")
    assert full.run("restore", full.target, "--name", "other", "--json").worked().json["rows"] == 1
