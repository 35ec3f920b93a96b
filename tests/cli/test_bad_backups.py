"""A repository that somebody damaged or forged: exit 20, and the target is as it was."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.place import Place, small_database

from duckback import Duckback
from duckback.errors import IntegrityError
from duckback.model.seal import seal


def refused(place: Place, *words: str) -> None:
    """A restore that may replace the target fails with exit 20, and touches nothing."""
    place.target.write_bytes(b"precious")
    place.run("restore", place.target, "--force", "--trust-repository").failed(20, *words)
    assert place.target.read_bytes() == b"precious"
    assert place.beside_target() == [place.target.name]
    assert place.staged() == []


def edit(manifest: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(manifest.read_bytes())
    del document["sha256"]
    change(document)
    manifest.write_bytes(seal(json.dumps(document).encode()))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (truncate, "does not hold the bytes"),
        (alter, "does not hold the bytes"),
        (Path.unlink, "is missing"),
        (lambda path: path.write_bytes(b""), "does not hold the bytes"),
        (lambda path: (path.unlink(), path.mkdir()), ""),
    ],
    ids=["truncated", "altered", "missing", "empty", "directory"],
)
def test_damaged_object(full: Place, damage: Callable[[Path], object], words: str) -> None:
    path = full.objects()[1]
    damage(path)
    full.run("restore", full.target).failed(20, path.name, words)
    assert full.beside_target() == []
    refused(full, path.name, words)


def test_object_of_another_backup_in_its_place(full: Place) -> None:
    other = small_database(full.root / "other.duckdb", "CREATE TABLE people AS SELECT 1 AS id, 'forged' AS name")
    full.run("backup", other, "--name", "other").worked()
    (forged,) = (full.repo / "other").rglob("*.people.*.parquet")
    (honest,) = (full.repo / "small").rglob("*.people.*.parquet")
    shutil.copy(forged, honest)
    refused(full_named(full), honest.name, "does not hold the bytes")


def full_named(place: Place) -> Place:
    """The same place with one database in its repository: the other's manifest goes."""
    for manifest in (place.repo / "other" / "manifests").iterdir():
        manifest.unlink()
    return place


def test_objects_swapped_between_tables(full: Place) -> None:
    first, second = full.objects()
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    refused(full, "does not hold the bytes")


def test_references_swapped_between_tables_of_equal_shape(place: Place) -> None:
    sql = "CREATE TABLE a AS SELECT i FROM range(9) r(i); CREATE TABLE b AS SELECT i + 1 AS i FROM range(9) r(i)"
    place.run("backup", small_database(place.root / "small.duckdb", sql)).worked()

    def swap(document: Any) -> None:
        a, b = document["tables"]
        a["objects"], b["objects"] = b["objects"], a["objects"]

    edit(place.manifests()[0], swap)
    refused(place, "does not have the rows that were backed up")


def test_reference_with_the_checksum_of_forged_rows(place: Place) -> None:
    sql = "CREATE TABLE t AS SELECT i FROM range(9) r(i)"
    place.run("backup", small_database(place.root / "small.duckdb", sql)).worked()
    other = small_database(place.root / "o.duckdb", sql.replace("SELECT i", "SELECT i * 2 AS i"))
    place.run("backup", other, "--name", "o").worked()
    (forged,) = (place.repo / "o" / "manifests").iterdir()
    (honest,) = (place.repo / "small" / "manifests").iterdir()
    theirs = json.loads(forged.read_bytes())["tables"][0]["objects"][0]
    (source,) = (place.repo / "o").rglob("*.parquet")
    (target,) = (place.repo / "small").rglob("*.parquet")
    shutil.copy(source, target)
    forged.unlink()
    edit(honest, lambda d: d["tables"][0]["objects"][0].update(sha256=theirs["sha256"], size=theirs["size"]))
    refused(place, "does not have the rows that were backed up")


IDENTITY = "01927f3e-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("repository_id", IDENTITY, "is the manifest of another repository"),
        ("database", "other", "is the manifest of another database"),
        ("backup_id", IDENTITY, "is the manifest of another backup"),
        ("format", "2", "is not a manifest of format"),
        ("surprise", 1, "is not a manifest of format"),
        ("tables", [], "the tables of the catalogue are not those with rows"),
        ("snapshot_at", 5, "snapshot_at"),
    ],
)
def test_manifest_that_belongs_elsewhere_or_is_none(full: Place, field: str, value: object, words: str) -> None:
    edit(full.manifests()[0], lambda document: document.update({field: value}))
    refused(full, full.manifests()[0].name, words)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00" * 100, b"null", b'{"format": "1"}'])
def test_manifest_that_is_no_document(full: Place, content: bytes) -> None:
    full.manifests()[0].write_bytes(content)
    refused(full, "is not a manifest")
    full.run("list").failed(20, "is not a manifest")


def test_manifest_of_another_backup_under_this_ones_name(full: Place) -> None:
    full.run("backup", full.database).worked()
    first, second = full.manifests()
    shutil.copy(first, second)
    refused(full, second.name, "is the manifest of another backup")
    full.run("verify", "latest").failed(20, second.name, first.stem)
    full.run("show").failed(20, second.name, first.stem)
    full.run("restore", full.root / "older.duckdb", "--backup", first.stem).worked()


def test_a_damaged_manifest_keeps_no_younger_backup_from_anything(history: Place) -> None:
    first, *others = history.backup_ids()
    newest = others[-1]
    (damaged,) = (path for path in history.manifests() if path.stem == first)
    damaged.write_bytes(b"")
    history.run("restore", history.target).worked()
    assert history.restored_is_equal()
    assert history.run("show", "--json").worked().json["id"] == newest
    history.run("pin", "latest", "--reason", "a test").worked()
    history.run("query", "FROM people").worked()
    for level in ("objects", "restore"):
        ran = history.run("verify", "latest", "--level", level, "--json").worked()
        assert [(one["id"], one["result"]) for one in ran.json["backups"]] == [(newest, "good")]
    history.run("prune").failed(20, damaged.name)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_list_shows_a_damaged_manifest_as_such_in_its_place(history: Place, which: int, tmp_path: Path) -> None:
    ids = history.backup_ids()
    sound = history.run("list", "--json").worked().json["backups"]
    (damaged,) = (path for path in history.manifests() if path.stem == ids[which])
    damaged.write_bytes(damaged.read_bytes()[:-1])
    ran = history.run("list")
    ran.failed(20, damaged.name)
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert [line[0] for line in lines] == ids
    assert [line[-1] == "damaged" for line in lines] == [one == ids[which] for one in ids]
    ran = history.run("list", "--json")
    ran.failed(20, damaged.name)
    assert ran.json == {"schema": "duckback.list/1", "backups": [one for one in sound if one["id"] != ids[which]]}
    duckback = Duckback(history.repo, state_dir=tmp_path / "another")
    assert [str(one.backup_id) for one in duckback.listing().damaged] == [ids[which]]
    with pytest.raises(IntegrityError, match=damaged.name):
        duckback.backups()


@pytest.mark.parametrize(
    "key",
    [
        "small/duckdb/../../outside.parquet",
        "../outside.parquet",
        "/etc/passwd",
        "small/duckdb/./x.parquet",
        "other/duckdb/full/2026/11/23/x.parquet",
        "small/manifests/x.json",
        "smaller/duckdb/x.parquet",
        "small/duckdb/\x00.parquet",
        "small\\duckdb\\x.parquet",
    ],
)
def test_key_that_tries_to_leave_the_databases_prefix(full: Place, key: str) -> None:
    (full.root / "outside.parquet").write_bytes(full.objects()[0].read_bytes())
    edit(full.manifests()[0], lambda document: document["tables"][0]["objects"][0].update(key=key))
    refused(full, full.manifests()[0].name)
    assert full.run("verify").code == 20


def test_forged_ddl_cannot_read_or_write_files(full: Place) -> None:
    spoils = full.root / "spoils.csv"

    def forge(document: Any) -> None:
        document["catalog"]["views"][0]["sql"] = f"COPY (SELECT 42) TO '{spoils}'"

    edit(full.manifests()[0], forge)
    ran = full.run("restore", full.target, "--trust-repository")
    assert ran.code in {20, 30}, ran
    ran.failed(ran.code)
    assert not spoils.exists()
    assert full.beside_target() == []


def test_damaged_backup_does_not_keep_an_older_one_from_being_restored(full: Place) -> None:
    full.run("backup", full.database, "--full").worked()
    old, new = full.backup_ids()
    for path in full.objects():
        if path.name.startswith(new):
            truncate(path)
    refused(full, "does not hold the bytes", "Restore an older backup")
    full.target.unlink()
    full.run("restore", full.target, "--backup", old).worked()
    assert full.restored_is_equal()
