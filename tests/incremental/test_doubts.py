"""What is not certain about the parent is written again, and the manifest says why; nothing is left out in silence."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from support.graves import entomb, plan
from support.protected import Protected, of

from duckback.errors import Locked, NoSuchBackup
from duckback.model.manifest import Manifest, ObjectRef, encode
from duckback.repository import layout
from duckback.repository.deletion import Deletion
from duckback.routes.exchange import required

TWO_TABLES = (
    "CREATE TABLE t AS SELECT i AS id, 'name ' || i AS name FROM range(200) r(i)",
    "CREATE TABLE u AS FROM range(100)",
)


def object_of(manifest: Manifest, name: str = "t") -> ObjectRef:
    return of(manifest, name).objects[0]


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    path.unlink()
    if how == "flipped":
        path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    elif how == "truncated":
        path.write_bytes(data[:-1])
    elif how == "replaced":
        duckdb.execute(f"COPY (SELECT 1 AS id, 'x' AS name) TO '{path}' (FORMAT parquet)")


@pytest.mark.parametrize("how", ["missing", "flipped", "truncated", "replaced"])
@pytest.mark.parametrize("change", ["INSERT INTO t VALUES (900, 'new')", "INSERT INTO u VALUES (900)", None])
def test_a_table_whose_objects_are_not_sound_is_written_whole(here: Protected, how: str, change: str | None) -> None:
    full = here.proven(*TWO_TABLES)
    ref = object_of(full)
    damage(here.repo / ref.key, how)
    manifest = here.proven(*([change] if change else []))
    assert manifest.scope == "incremental"
    (promoted,) = manifest.promoted
    assert (promoted.name, promoted.method) == ("t", "full")
    assert ref.key in str(promoted.reason)
    assert of(manifest, "u").method == ("changed" if change and " u " in change else "unchanged")


def test_positions_that_are_not_there_are_a_doubt_too(here: Protected) -> None:
    here.proven(*TWO_TABLES)
    removed = here.proven("DELETE FROM t WHERE id = 5")
    (here.repo / of(removed).removed[0].key).unlink()
    manifest = here.proven("DELETE FROM u WHERE range = 5")
    assert [(table.name, "missing" in str(table.reason)) for table in manifest.promoted] == [("t", True)]


@pytest.mark.parametrize("how", ["flipped", "truncated"])
def test_a_manifest_that_is_not_sound_makes_the_next_backup_a_full(here: Protected, how: str) -> None:
    first = here.backup(*TWO_TABLES)
    damage(here.repo / layout.manifest_key("now", first.backup_id), how)
    done = here.backup("INSERT INTO u VALUES (1)")
    assert done.committed is not None
    manifest = done.committed.manifest
    assert (manifest.scope, manifest.parent_id) == ("full", None)
    assert str(first.backup_id) in str(manifest.full_because)
    assert any("a full backup was taken" in notice for notice in done.notices)


def test_a_manifest_that_is_not_the_recorded_one_makes_the_next_backup_a_full(here: Protected) -> None:
    first = here.backup(*TWO_TABLES)
    path = here.repo / layout.manifest_key("now", first.backup_id)
    forged = required(first.committed).manifest.model_copy(update={"capture_mode": "direct"})
    path.unlink()
    path.write_bytes(encode(forged))
    done = here.backup("INSERT INTO u VALUES (1)", scope="incremental")
    assert done.backup_scope == "full"
    assert "not the one that the ledger has recorded" in str(done.full_because)


def test_a_repository_that_was_rolled_back_gets_a_full_unless_it_is_trusted(here: Protected) -> None:
    here.backup(*TWO_TABLES)
    newest = here.backup("INSERT INTO u VALUES (1)")
    (here.repo / layout.manifest_key("now", newest.backup_id)).unlink()
    done = here.backup("INSERT INTO u VALUES (2)")
    assert done.backup_scope == "full"
    assert str(newest.backup_id) in str(done.full_because)
    (here.repo / layout.manifest_key("now", done.backup_id)).unlink()
    assert here.backup(trust_repository=True).backup_scope == "incremental"


def test_the_parents_manifest_is_named_with_its_digest(here: Protected) -> None:
    first = here.backup(*TWO_TABLES)
    manifest = here.proven("INSERT INTO u VALUES (1)")
    data = (here.repo / layout.manifest_key("now", first.backup_id)).read_bytes()
    assert (manifest.parent_id, manifest.parent_manifest_sha256) == (first.backup_id, hashlib.sha256(data).hexdigest())


def test_rows_that_another_release_has_hashed_are_not_compared(
    here: Protected, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.proven(*TWO_TABLES)
    monkeypatch.setattr("duckback.source.export.hash_probe", lambda _: 7)
    monkeypatch.setattr("duckback.source.load.hash_probe", lambda _: 7)
    manifest = here.proven("INSERT INTO u VALUES (1)")
    assert {str(table.reason)[:31] for table in manifest.promoted} == {"the parent was taken with DuckD"}
    assert len(manifest.promoted) == 2
    assert here.proven("INSERT INTO u VALUES (2)").promoted == ()


def test_a_prune_that_has_begun_leaves_what_the_parent_refers_to_and_nothing_is_written_again(here: Protected) -> None:
    first = here.proven(*TWO_TABLES)
    here.proven("INSERT INTO u VALUES (1)")
    entomb(here.store, "now", first.backup_id, first)
    manifest = here.proven("INSERT INTO u VALUES (2)")
    assert manifest.promoted == ()
    assert {ref.backup_id for ref in manifest.objects} > {first.backup_id}


def test_an_object_that_is_going_is_not_relied_on(here: Protected) -> None:
    first = here.proven(*TWO_TABLES)
    here.proven("INSERT INTO u VALUES (1)")
    entomb(here.store, "now", first.backup_id, first)
    plan(here.store, "now", first.backup_id, [object_of(first).key])
    manifest = here.proven("INSERT INTO u VALUES (2)")
    assert [(table.name, "is being pruned" in str(table.reason)) for table in manifest.promoted] == [("t", True)]


def test_a_backup_that_relies_on_what_goes_meanwhile_is_taken_back_and_taken_again(
    here: Protected, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = here.proven(*TWO_TABLES)
    second = here.proven("INSERT INTO u VALUES (1)")
    ask = Deletion.at_risk

    def prune_meanwhile(deletion: Deletion) -> set[str]:
        monkeypatch.setattr(Deletion, "at_risk", ask)
        found = ask(deletion)
        entomb(here.store, "now", first.backup_id, first)
        plan(here.store, "now", first.backup_id, [object_of(first).key])
        return found

    monkeypatch.setattr(Deletion, "at_risk", prune_meanwhile)
    manifest = here.proven("INSERT INTO u VALUES (2)")
    assert [table.name for table in manifest.promoted] == ["t"]
    assert here.ids() == [str(second.backup_id), str(manifest.backup_id)]
    withdrawn = here.ids_of_events("failed")
    assert len(withdrawn) == 1
    assert [key for key in here.stored if withdrawn[0] in key and "/pruned/" not in key] == []


def test_a_backup_that_is_taken_back_each_time_is_locked_out(here: Protected, monkeypatch: pytest.MonkeyPatch) -> None:
    first = here.proven(*TWO_TABLES)
    entomb(here.store, "now", first.backup_id)
    monkeypatch.setattr("duckback.repository.commit._pruned", lambda *_: first.backup_id)
    with pytest.raises(Locked, match="is being pruned") as raised:
        here.backup("INSERT INTO u VALUES (1)")
    assert raised.value.exit_code == 11
    assert len(here.ids_of_events("failed")) == 3
    assert here.ids() == []
    monkeypatch.undo()


def test_a_difference_that_does_not_add_up_is_written_whole(here: Protected) -> None:
    """A planted fault: two segments of the parent claim one another's rows."""
    first = here.backup("CREATE TABLE t AS SELECT i AS id, i % 7 AS v FROM range(200) r(i)")
    path = here.repo / layout.manifest_key("now", first.backup_id)
    assert first.committed is not None
    manifest = first.committed.manifest
    segments = list(of(manifest).segments)
    segments[0], segments[1] = (
        segments[0].model_copy(update={"runs": segments[1].runs}),
        segments[1].model_copy(update={"runs": segments[0].runs}),
    )
    forged = manifest.model_copy(update={"tables": (of(manifest).model_copy(update={"segments": tuple(segments)}),)})
    path.unlink()
    path.write_bytes(encode(forged))
    (here.root / "state" / "ledger.sqlite").unlink()
    manifest = here.proven("DELETE FROM t WHERE id = 5")
    assert [table.reason for table in manifest.promoted] == ["its difference to the parent does not add up"]


def test_an_incremental_without_a_parent_is_refused(here: Protected) -> None:
    here.run(*TWO_TABLES)
    with pytest.raises(NoSuchBackup, match="no backup of 'now' that an incremental") as refusal:
        here.duckback.backup(here.path, scope="incremental")
    assert "--full" in refusal.value.hint


def test_a_full_on_request_relies_on_nothing(here: Protected) -> None:
    here.proven(*TWO_TABLES)
    manifest = here.proven(scope="full")
    assert (manifest.scope, manifest.parent_id, manifest.full_because) == ("full", None, None)
    assert {ref.backup_id for ref in manifest.objects} == {manifest.backup_id}


def test_the_last_backup_is_the_newest_one_of_either_kind(here: Protected) -> None:
    here.backup(*TWO_TABLES)
    incremental = here.backup("INSERT INTO u VALUES (1)")
    assert here.backup("INSERT INTO u VALUES (2)").last_backup_time == incremental.committed.manifest.snapshot_at  # type: ignore[union-attr]  # it was taken
    full = here.backup(scope="full")
    assert here.backup("INSERT INTO u VALUES (3)").last_backup_time == full.committed.manifest.snapshot_at  # type: ignore[union-attr]  # likewise
    assert datetime.now(UTC) > full.start_time
