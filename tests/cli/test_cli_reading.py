"""duckback list, show and verify, as scripts and people see them."""

import json
import os
from datetime import datetime, timedelta

import pytest
from support.place import ROWS, Place


def test_list_json_has_the_documented_shape(full: Place) -> None:
    answer = full.spawn("list", "--json").worked().json
    assert list(answer) == ["schema", "backups"]
    assert answer["schema"] == "duckback.list/1"
    (one,) = answer["backups"]
    assert list(one) == [
        "id", "name", "scope", "status", "snapshot_at", "parent", "rows", "size_bytes",
        "bytes_added", "retention_until", "verified_at", "pinned",
    ]  # fmt: skip
    stored = sum(path.stat().st_size for path in full.objects())
    assert (one["name"], one["scope"], one["status"], one["parent"]) == ("small", "full", "committed", None)
    assert (one["rows"], one["size_bytes"], one["bytes_added"]) == (ROWS, stored, stored)
    assert (one["verified_at"], one["pinned"]) == (None, False)
    kept = datetime.fromisoformat(one["retention_until"]) - datetime.fromisoformat(one["snapshot_at"])
    assert abs(kept - timedelta(days=90)) < timedelta(minutes=1)


def test_list_is_oldest_first_over_all_databases_and_of_one_by_name(full: Place) -> None:
    full.run("backup", full.database, "--name", "another").worked()
    full.run("backup", full.database).worked()
    names = [one["name"] for one in full.run("list", "--json").worked().json["backups"]]
    assert names == ["small", "another", "small"]
    assert len(full.run("list", "--name", "another", "--json").worked().json["backups"]) == 1


def test_list_piped_is_one_tab_separated_line_a_backup(full: Place) -> None:
    (line,) = full.spawn("list").worked().out.splitlines()
    fields = line.split("\t")
    assert fields[0] == full.backup_ids()[0]
    assert fields[1:3] == ["small", "full"]
    assert fields[-1] == "committed"


def test_list_of_a_repository_without_backups_is_empty(full: Place) -> None:
    full.manifests()[0].unlink()
    assert full.run("list", "--json").worked().json == {"schema": "duckback.list/1", "backups": []}


def test_show_tells_tables_and_where_the_backup_comes_from(full: Place) -> None:
    out = full.run("show").worked().out
    assert str(full.backup_ids()[0]) in out
    assert "main.people\t50\t50\t0\t1\t" in out
    assert "main.visits\t400\t400\t0\t1\t" in out
    assert "small.duckdb" in out


@pytest.mark.parametrize("which", ["latest", "id", "beginning"])
def test_show_finds_a_backup_by_id_by_its_beginning_and_as_latest(full: Place, which: str) -> None:
    (backup_id,) = full.backup_ids()
    asked = {"latest": "latest", "id": backup_id, "beginning": backup_id[:9].upper()}[which]
    answer = full.run("show", asked, "--json").worked().json
    assert answer["id"] == backup_id
    assert answer["schema"] == "duckback.show/1"
    document = json.loads(full.manifests()[0].read_bytes())
    assert answer["manifest"] == {field: value for field, value in document.items() if field != "sha256"}


def test_verify_json_has_the_documented_shape_and_list_then_says_verified(full: Place) -> None:
    (backup_id,) = full.backup_ids()
    answer = full.spawn("verify", "--json").worked().json
    assert answer == {
        "schema": "duckback.verify/1",
        "level": "objects",
        "backups": [{"id": backup_id, "result": "good", "problems": []}],
        "not_reached": [],
        "damage": [],
    }
    (one,) = full.run("list", "--json").worked().json["backups"]
    assert one["status"] == "verified"
    assert datetime.fromisoformat(one["verified_at"]).tzinfo is not None


def test_verify_names_each_bad_object_and_its_table_with_exit_20(full: Place) -> None:
    people, visits = full.objects()
    people.write_bytes(people.read_bytes()[:-1])
    visits.unlink()
    (backup_id,) = full.backup_ids()
    ran = full.run("verify", "--json")
    assert ran.code == 20
    (one,) = ran.json["backups"]
    assert (one["id"], one["result"]) == (backup_id, "bad")
    found = {problem["table"]: (problem["object"], problem["what"]) for problem in one["problems"]}
    assert found["main.visits"] == (os.path.relpath(visits, full.repo), "missing")
    assert "bytes instead of" in found["main.people"][1]
    assert full.run("list", "--json").json["backups"][0]["status"] == "failed-verification"
    assert full.run("list", "--json").json["backups"][0]["verified_at"] is None


def test_verify_finds_bytes_altered_in_place_and_says_so_to_people(full: Place) -> None:
    people = full.objects()[0]
    data = bytearray(people.read_bytes())
    data[len(data) // 2] ^= 1
    people.write_bytes(data)
    ran = full.run("verify", "latest")
    assert ran.code == 20
    assert f"{full.backup_ids()[0]}\tBAD" in ran.out
    assert "its checksum is not the recorded one" in ran.out


def test_verify_of_a_damaged_manifest_is_a_problem_and_not_an_end(full: Place) -> None:
    full.run("backup", full.database).worked()
    first, second = full.manifests()
    first.write_text("{}")
    ran = full.run("verify", "--json")
    assert ran.code == 20
    results = {one["id"]: one["result"] for one in ran.json["backups"]}
    assert results == {first.stem: "bad", second.stem: "good"}
