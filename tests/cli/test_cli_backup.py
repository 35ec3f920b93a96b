"""duckback backup, as scripts and people see it."""

import hashlib
import re
from uuid import UUID

import duckdb
from support.place import ROWS, Place, small_database

PROCESSORS = [
    "export-duckdb-to-parquet",
    "compress-parquet",
    "upload-duckdb-backup-to-s3",
    "record-duckdb-backup-event",
    "cleanup-old-duckdb-backups",
]


def test_json_is_one_document_of_the_documented_shape(place: Place) -> None:
    ran = place.spawn("backup", place.database, "--json").worked()
    answer = ran.json
    assert list(answer) == [
        "schema", "id", "name", "scope", "parent", "status", "snapshot_at", "rows",
        "bytes_added", "objects_added", "promoted", "seconds", "manifest_sha256",
    ]  # fmt: skip
    (manifest,) = place.manifests()
    assert answer["schema"] == "duckback.backup/1"
    assert UUID(answer["id"]).version == 7
    assert (answer["name"], answer["scope"], answer["parent"]) == ("small", "full", None)
    assert (answer["status"], answer["rows"], answer["promoted"]) == ("committed", ROWS, [])
    assert answer["bytes_added"] == sum(path.stat().st_size for path in place.objects())
    assert answer["objects_added"] == len(place.objects())
    assert answer["manifest_sha256"] == hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert [name for name in answer["seconds"] if name in PROCESSORS] == PROCESSORS
    assert ran.err == ""


def test_piped_it_says_in_plain_lines_what_it_did(place: Place) -> None:
    ran = place.spawn("backup", place.database).worked()
    assert re.search(r"^backed up small as [0-9a-f-]{36} \(full\)$", ran.out, re.MULTILINE)
    assert f"{ROWS} rows of 2 tables" in ran.out
    assert "\x1b" not in ran.out + ran.err


def test_name_option_names_the_database(place: Place) -> None:
    assert place.run("backup", place.database, "--name", "hot tier", "--json").worked().json["name"] == "hot tier"
    assert place.run("list", "--name", "hot tier", "--json").worked().json["backups"][0]["name"] == "hot tier"


def test_what_is_left_out_is_a_notice_on_stderr_and_exit_0(place: Place) -> None:
    source = small_database(place.root / "m.duckdb", "CREATE TABLE t (i INT); CREATE TABLE big (i INT)")
    ran = place.run("backup", source, "--json", "--exclude", "big").worked()
    assert ran.err == "duckback: left out of the backup: table main.big\n"
    assert ran.json["status"] == "committed"
    assert "left out table main.big" in place.run("show").worked().out


def test_verbose_logs_every_processor_on_stderr(place: Place) -> None:
    ran = place.spawn("backup", place.database, "--json", "--verbose").worked()
    assert ran.json["status"] == "committed"
    for name in PROCESSORS:
        assert name in ran.err


def test_source_is_not_changed_and_not_left_locked(place: Place) -> None:
    before = place.database.read_bytes()
    place.run("backup", place.database).worked()
    assert place.database.read_bytes() == before
    with duckdb.connect(place.database) as con:
        con.execute("INSERT INTO people VALUES (1000, 'new')")


def test_second_backup_stands_beside_the_first(full: Place) -> None:
    second = full.run("backup", full.database, "--json").worked().json["id"]
    ids = full.backup_ids()
    assert len(ids) == 2
    assert ids[-1] == second
    assert full.staged() == []
