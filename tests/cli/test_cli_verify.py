"""duckback verify at its three levels: what is proven, what is found, what stays on record."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from support.place import Place

from duckback import Duckback
from duckback.errors import AccessDenied, LedgerError
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import EventKind
from duckback.model.manifest import decode, encode
from duckback.model.proof import decode_proof
from duckback.processors.remove_staging import RemoveStaging
from duckback.repository import layout
from duckback.store.digest import digest_file
from duckback.store.local import LocalStore


def proofs(place: Place) -> list[Path]:
    return sorted(place.repo.rglob("proofs/*/*.json"))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def result_of(ran: Any, backup_id: str) -> Any:
    return next(one for one in ran.json["backups"] if one["id"] == backup_id)


@pytest.mark.parametrize("level", ["objects", "data", "restore"])
def test_sound_backups_are_good_and_that_is_on_record(history: Place, level: str) -> None:
    ids = history.backup_ids()
    answer = history.run("verify", "--level", level, "--json").worked().json
    assert answer["level"] == level
    assert [(one["id"], one["result"], one["problems"]) for one in answer["backups"]] == [(i, "good", []) for i in ids]
    assert (answer["not_reached"], answer["damage"]) == ([], [])
    written = [decode_proof(path.read_bytes(), source=str(path)) for path in proofs(history)]
    assert sorted(str(one.backup_id) for one in written) == ids
    assert {(one.level, one.result, one.problems) for one in written} == {(level, "good", ())}
    assert {one.compared for one in written} == {None if level == "objects" else "fingerprints"}
    assert {one.rto_seconds for one in written} == {900 if level == "restore" else None}
    assert all(one.seconds >= 0 for one in written)
    assert [layout.proof_key("small", one) for one in written] == [
        str(path.relative_to(history.repo)) for path in proofs(history)
    ]
    assert [kind for kind, _ in history.events()].count("verification") == len(ids)
    assert {one["status"] for one in history.run("list", "--json").json["backups"]} == {"verified"}
    assert history.staged() == []


def test_a_machine_with_nothing_but_the_repository_knows_what_was_verified(history: Place, tmp_path: Path) -> None:
    history.run("verify", "latest", "--level", "data").worked()
    history.state = tmp_path / "another"
    states = [one["status"] for one in history.run("list", "--json").worked().json["backups"]]
    assert states == ["committed", "committed", "verified"]
    assert history.run("list").out.splitlines()[-1].endswith("(data)")


def test_damage_names_objects_tables_backups_and_where_the_table_is_still_good(history: Place) -> None:
    history.run("backup", history.database, "--full").worked()
    first, second, third, fourth = history.backup_ids()
    (damaged,) = (path for path in history.objects() if first in path.name and ".visits." in path.name)
    flip(damaged, damaged.stat().st_size // 2)
    ran = history.run("verify", "--level", "data", "--json")
    ran.failed(20)
    key = str(damaged.relative_to(history.repo))
    for one in (first, second, third):
        assert result_of(ran, one)["problems"] == [
            {"object": key, "table": "main.visits", "what": "does not hold the bytes that were backed up"}
        ]
    assert result_of(ran, fourth)["result"] == "good"
    assert ran.json["damage"] == [
        {"object": key, "table": "main.visits", "backups": [first, second, third], "newest_good": fourth}
    ]
    assert f"the newest backup in which it is good is {fourth}" in history.run("verify", third, "--level", "data").out
    states = [one["status"] for one in history.run("list", "--json").json["backups"]]
    assert states == [*["failed-verification"] * 3, "verified"]


def test_a_failure_is_not_forgotten_for_a_look_that_is_less_deep(full: Place) -> None:
    flip(full.objects()[0], 60)
    full.run("verify", "--level", "data").failed(20)
    flip(full.objects()[0], 60)
    full.run("verify", "--level", "objects").worked()
    assert full.run("list", "--json").json["backups"][0]["status"] == "failed-verification"
    full.run("verify", "--level", "data").worked()
    assert full.run("list", "--json").json["backups"][0]["status"] == "verified"


def with_rows_of_another(place: Place) -> str:
    """Forge an object together with all of its checksums; returns its key."""
    (path,) = (one for one in place.objects() if ".people." in one.name)
    duckdb.execute(
        f"COPY (SELECT id, 'x' || name AS name FROM read_parquet('{path}')) TO '{path}.new' (FORMAT parquet, COMPRESSION zstd)"
    )
    Path(f"{path}.new").replace(path)
    (manifest,) = place.manifests()
    genuine = decode(manifest.read_bytes(), source="x")
    digest = digest_file(path, 1 << 30)
    tables = tuple(
        table.model_copy(
            update={"objects": (table.objects[0].model_copy(update={"sha256": digest.sha256, "size": digest.size}),)}
        )
        if table.name == "people"
        else table
        for table in genuine.tables
    )
    manifest.chmod(0o600)
    manifest.write_bytes(encode(genuine.model_copy(update={"tables": tables})))
    return str(path.relative_to(place.repo))


def test_rows_that_are_not_those_of_the_backup_are_found_though_every_checksum_fits(
    full: Place, tmp_path: Path
) -> None:
    with_rows_of_another(full)
    full.state = tmp_path / "another"
    full.run("verify", "--level", "objects").worked()
    ran = full.run("verify", "--level", "data", "--json")
    ran.failed(20)
    assert ran.json["backups"][0]["problems"] == [
        {"object": None, "table": "main.people", "what": "the rows in its objects are not those that were backed up"}
    ]
    ran = full.run("verify", "--level", "restore", "--json")
    ran.failed(20)
    assert "does not have the rows that were backed up" in ran.json["backups"][0]["problems"][0]["what"]
    assert full.staged() == []


def test_a_manifest_that_the_ledger_did_not_record_is_found(full: Place) -> None:
    with_rows_of_another(full)
    ran = full.run("verify", "--json")
    ran.failed(20)
    assert "not the one that the ledger has recorded" in ran.json["backups"][0]["problems"][0]["what"]


def test_the_latest_is_looked_at_and_called_bad_though_the_ledger_contradicts_it(full: Place) -> None:
    with_rows_of_another(full)
    for level in ("objects", "restore"):
        ran = full.run("verify", "latest", "--level", level, "--json")
        ran.failed(20)
        assert "not the one that the ledger has recorded" in ran.json["backups"][0]["problems"][0]["what"]
    full.run("restore", full.target, "--backup", "latest").failed(20, "not the one that the ledger has recorded")


def test_a_manifest_that_is_not_the_one_that_was_proven_is_found_without_a_ledger(full: Place, tmp_path: Path) -> None:
    full.run("verify").worked()
    with_rows_of_another(full)
    full.state = tmp_path / "another"
    ran = full.run("verify", "--json")
    ran.failed(20)
    assert "not the one that was proven at" in ran.json["backups"][0]["problems"][0]["what"]


def test_a_manifest_that_is_not_the_one_that_its_child_was_made_after_is_found(full: Place, tmp_path: Path) -> None:
    full.change()
    full.run("backup", full.database).worked()
    first, second = full.manifests()
    genuine = decode(first.read_bytes(), source="x")
    first.write_bytes(encode(genuine.model_copy(update={"seconds": {}})))
    full.state = tmp_path / "another"
    ran = full.run("verify", "--json")
    ran.failed(20)
    assert f"not the one that backup {second.stem} was made after" in result_of(ran, first.stem)["problems"][0]["what"]


@pytest.mark.parametrize("witness", ["child", "proof", "ledger"])
def test_a_backup_that_is_gone_is_missed(full: Place, tmp_path: Path, witness: str) -> None:
    (first,) = full.manifests()
    if witness == "proof":
        full.run("verify").worked()
    full.change()
    full.run("backup", full.database, "--incremental" if witness == "child" else "--full").worked()
    first.unlink()
    if witness != "ledger":
        full.state = tmp_path / "another"
    ran = full.run("verify", "--json")
    ran.failed(20)
    (problem,) = result_of(ran, first.stem)["problems"]
    assert problem["what"].startswith("the backup is gone, though")
    assert witness in {"child": "child", "proof": "proof", "ledger": "ledger"}[witness]


def test_time_that_is_up_ends_the_run_which_says_what_it_did_not_reach(history: Place) -> None:
    ran = history.run("verify", "--level", "data", "--max-duration", "0s", "--json")
    ran.failed(3)
    assert (ran.json["backups"], ran.json["not_reached"]) == ([], history.backup_ids())
    assert proofs(history) == []
    assert history.run("verify", "--level", "restore", "--max-duration", "0s").out.count("not reached") == 3
    assert history.run("verify", "--max-duration", "soon").code == 2


def test_a_run_that_ends_early_begins_next_time_with_what_it_did_not_reach(history: Place) -> None:
    first, second, third = history.backup_ids()
    history.run("verify", second).worked()
    history.run("verify", third).worked()
    done = Duckback(history.repo, state_dir=history.state).verify()
    assert [str(one.backup_id) for one in done.results] == [first, second, third]
    names = [path.name for path in proofs(history) if path.parent.name == first]
    assert len(names) == 1


def test_a_test_restore_is_of_the_newest_backup_and_leaves_nothing_but_its_record(history: Place) -> None:
    done = Duckback(history.repo, state_dir=history.state, threads=1).test_restore()
    (result,) = done.results
    assert (str(result.backup_id), result.is_good) == (history.backup_ids()[-1], True)
    assert history.beside_target() == []
    assert history.staged() == []
    with EmbeddedLedger(history.state / "ledger.sqlite") as ledger:
        (entry,) = ledger.entries(kind=EventKind.VERIFICATION)
    assert (entry.details["level"], entry.details["result"]) == ("restore", "good")
    assert float(entry.details["seconds"]) > 0
    assert UUID(entry.details["backup_id"]) == result.backup_id


def test_a_test_restore_reads_the_store_and_no_local_copies(history: Place) -> None:
    damaged = history.objects()[0]
    flip(damaged, 100)
    ran = history.run("verify", "latest", "--level", "restore", "--json")
    ran.failed(20)
    (problem,) = ran.json["backups"][0]["problems"]
    assert problem["object"] == str(damaged.relative_to(history.repo))
    assert next(path.name for path in proofs(history)).split("-")[-2] == "bad"
    assert json.loads(proofs(history)[0].read_bytes())["problems"] == [problem]


@pytest.mark.parametrize("level", ["objects", "data", "restore"])
def test_who_may_only_read_verifies_all_the_same_and_hears_that_no_proof_was_written(
    full: Place, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    def refuse(*_: object) -> None:
        raise AccessDenied("cannot store: Permission denied")

    monkeypatch.setattr(LocalStore, "create", refuse)
    ran = full.run("verify", "--level", level)
    ran.worked()
    assert "no proofs were written to the repository" in ran.err
    assert proofs(full) == []
    assert full.run("list", "--json").json["backups"][0]["status"] == "verified"
    full.objects()[0].write_bytes(b"")
    full.run("verify", "--level", level).failed(20, "no proofs were written to the repository")
    assert full.run("list", "--json").json["backups"][0]["status"] == "failed-verification"


def test_a_test_restore_whose_failure_cannot_be_recorded_is_an_error(
    full: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise LedgerError("the ledger's disk is full")

    full.objects()[0].write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedLedger, "record", full_disk)
        ran = full.run("verify", "latest", "--level", "restore", "--json")
    ran.failed(20, full.objects()[0].name, "and afterwards: the ledger's disk is full")
    assert ran.json["schema"] == "duckback.error/1"


def test_what_fails_after_the_record_of_a_test_restore_is_told_beside_its_result(
    full: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stays(*_: object) -> None:
        raise OSError("staging cannot be removed")

    full.objects()[0].write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setattr(RemoveStaging, "process", stays)
        ran = full.run("verify", "latest", "--level", "restore", "--json")
    ran.failed(20, "and afterwards: staging cannot be removed")
    assert ran.json["backups"][0]["result"] == "bad"
    assert len(proofs(full)) == 1
