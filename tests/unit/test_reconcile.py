"""Repository, ledger and TigerBeetle compared: every contradiction is named, and nothing else is one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from support.fake_tigerbeetle import FakeCluster
from support.world import World, held, with_objects, without, worlds

from duckback.ledger.evidence import Evidence, Remote
from duckback.ledger.reconcile import Contradiction, reconcile
from duckback.model.events import EventKind
from duckback.model.manifest import LedgerHead
from duckback.routes.exchange import required


@pytest.fixture
def world(tmp_path: Path, fake_cluster: FakeCluster) -> Iterator[World]:
    """Three backups of which the first is pruned, an interrupted run and a verification, all delivered."""
    for world in worlds(tmp_path):
        first = world.backup([10, 20])
        second = world.backup([5], parent=first)
        world.backup([], parent=second)
        world.prune(first)
        world.start()
        world.record(second, EventKind.VERIFICATION)
        world.deliver()
        yield world


def names(evidence: Evidence) -> list[tuple[str, UUID | None]]:
    return [(str(one.name), one.backup_id) for one in reconcile(evidence).findings]


def last(world: World) -> UUID:
    return list(world.held)[-1]


def test_what_the_processors_write_contradicts_nothing(world: World) -> None:
    found = reconcile(world.evidence())
    assert (found.findings, found.unknown, found.pending) == ((), (), ())


def test_the_same_without_tigerbeetle(world: World) -> None:
    found = reconcile(world.evidence(remote=None, deliveries={}))
    assert (found.findings, found.unknown, found.pending) == ((), (), ())


@pytest.mark.parametrize("witness", ["both", "ledger", "TigerBeetle"])
def test_a_backup_that_is_gone_without_a_tombstone_is_missing(world: World, witness: str) -> None:
    backup = last(world)
    evidence = world.evidence()
    left = without(evidence.backups, backup)
    blind: dict[str, object] = {
        "both": {},
        "ledger": {"remote": None},
        "TigerBeetle": {"entries": (), "ledger_id": "new", "heads": (), "deliveries": {}, "last_delivered": 0},
    }[witness]  # type: ignore[assignment]  # one mapping of several shapes
    found = names(replace(evidence, backups=left, **blind))  # type: ignore[arg-type]  # as above
    assert ("backup-missing", backup) in found
    assert {name for name, _ in found} <= {"backup-missing", "balance"}


def test_a_proof_or_a_child_of_what_is_not_there_tells_that_it_is_missing() -> None:
    proven = Evidence(backups={}, ledger_id="x", proven=frozenset({(lost := uuid4())}))
    assert names(proven) == [("backup-missing", lost)]


def test_a_child_tells_that_its_parent_is_missing(world: World) -> None:
    child = last(world)
    alone = Evidence(backups={child: world.held[child]}, ledger_id="new")
    assert names(alone) == [("backup-missing", world.held[child].manifest.parent_id)]


def test_a_manifest_in_the_place_of_another_is_changed(world: World) -> None:
    backup = last(world)
    forged = held(world.held[backup].manifest.model_copy(update={"duckback_version": "9"}))
    found = reconcile(world.evidence(backups={**world.held, backup: forged})).findings
    assert {(one.name, one.backup_id) for one in found} == {(Contradiction.MANIFEST_CHANGED, backup)}
    assert {"the ledger's completed event" in one.what or "TigerBeetle" in one.what for one in found} == {True}


def test_a_child_tells_that_its_parent_was_changed(world: World) -> None:
    parent, child = list(world.held)
    forged = held(world.held[parent].manifest.model_copy(update={"duckback_version": "9"}))
    alone = Evidence(
        backups={parent: forged, child: world.held[child]}, tombstones=world.tombstones, ledger_id="a new machine's"
    )
    assert names(alone) == [("manifest-changed", parent)]


def test_a_damaged_manifest_is_named_and_its_backup_is_not_missing(world: World) -> None:
    backup = last(world)
    evidence = world.evidence(backups=without(world.held, backup), damaged={backup: "no JSON"})
    assert names(evidence) == [("manifest-damaged", backup)]


def test_a_manifest_that_its_own_ledger_neither_knows_nor_started_is_unrecorded(world: World) -> None:
    stranger = world.start()
    backup = world.commit(stranger, [7])
    entries = [one for one in world.ledger.entries() if one.details.get("backup_id") != str(backup)]
    found = names(world.evidence(entries=entries))
    assert ("manifest-unrecorded", backup) in found


def test_a_manifest_of_another_ledger_is_unknown(world: World) -> None:
    other = LedgerHead(driver="embedded", id="of another host", head="e" * 64)
    started = world.start()
    backup = world.commit(started, [7], ledger=other)
    found = reconcile(world.evidence())
    assert (found.findings, found.unknown) == ((), (backup,))


def test_on_a_new_machine_everything_is_unknown(world: World) -> None:
    found = reconcile(
        Evidence(backups=world.held, tombstones=world.tombstones, done=world.done, ledger_id="a new machine's")
    )
    assert found.findings == ()
    assert set(found.unknown) == set(world.held)


def test_a_broken_chain_is_named(world: World) -> None:
    assert names(world.evidence(chain_error="entry 3 was altered")) == [("chain-broken", None)]


def test_a_head_that_the_ledger_no_longer_has_tells_that_its_tail_was_written_anew(world: World) -> None:
    backup = last(world)
    heads = world.evidence().heads
    position = list(heads).index(world.held[backup].manifest.ledger.head)
    found = names(world.evidence(heads=[*heads[:position], *("f" * 64 for _ in heads[position:])]))
    assert found == [("tail-cut", backup)]


def test_a_tail_that_was_cut_is_found_by_what_tigerbeetle_has(world: World) -> None:
    backup = last(world)
    entries = [one for one in world.ledger.entries() if one.transfer.id != backup.int]
    found = names(world.evidence(entries=entries, last_delivered=0))
    assert ("tail-cut", backup) in found


def test_a_tail_that_was_cut_is_found_by_what_was_delivered(world: World) -> None:
    evidence = world.evidence()
    found = names(replace(evidence, heads=evidence.heads[:-1], entries=evidence.entries[:-1]))
    assert found == [("tail-cut", None)]


def test_a_transfer_that_tigerbeetle_lost_or_changed_is_named(world: World) -> None:
    evidence = world.evidence()
    assert evidence.remote is not None
    second = evidence.entries[3]
    others = [one for one in evidence.remote.transfers if one.transfer.id != second.transfer.id]
    changed = [*others, replace(second, transfer=replace(second.transfer, user_data_64=1))]
    lost = Remote(transfers=others, balance=evidence.remote.balance)
    assert ("transfer-missing", UUID(second.details["backup_id"])) in names(replace(evidence, remote=lost))
    rewritten = Remote(transfers=changed, balance=evidence.remote.balance)
    assert ("transfer-changed", UUID(second.details["backup_id"])) in names(replace(evidence, remote=rewritten))


@pytest.mark.parametrize("off", [-1, 1])
def test_a_balance_that_is_not_the_bytes_held_is_named(world: World, off: int) -> None:
    evidence = world.evidence()
    assert evidence.remote is not None
    debited, credited = evidence.remote.balance
    wrong = Remote(transfers=evidence.remote.transfers, balance=(debited, credited + off))
    (finding,) = reconcile(replace(evidence, remote=wrong)).findings
    assert finding.name == "balance"
    assert f"{credited + off - debited} bytes" in finding.what


def test_an_amount_that_is_not_the_bytes_written_is_named(world: World) -> None:
    backup = last(world)
    manifest = world.held[backup].manifest
    grown = manifest.objects[0].model_copy(update={"backup_id": backup, "key": "hot/duckdb/x", "size": 9})
    bigger = replace(world.held[backup], manifest=with_objects(manifest, (*manifest.objects, grown)))
    found = names(world.evidence(backups={**world.held, backup: bigger}))
    assert found.count(("amount", backup)) == 2
    assert {name for name, _ in found} == {"amount", "balance"}


def test_a_pruned_backup_that_is_there_again_has_returned(world: World) -> None:
    pruned = next(iter(world.done))
    again = replace(world.held[last(world)], sha256=required(world.tombstones[pruned].manifest_sha256))
    found = names(world.evidence(backups={**world.held, pruned: again}))
    assert ("backup-returned", pruned) in found


def test_what_is_on_its_way_is_pending_and_balances_wait_for_it(world: World) -> None:
    committed = world.commit(world.start(), [1000])
    world.entomb(next(iter(world.held)))
    found = reconcile(world.evidence())
    assert found.findings == ()
    assert [text.split(" ", 2)[2] for text in found.pending[:2]] == [
        "is committed and not recorded; the next backup of 'hot' does it",
        "is being pruned",
    ]
    assert str(committed) in found.pending[0]
    assert found.pending[2] == "events that wait for delivery: 1"


def test_a_parked_event_is_pending(world: World) -> None:
    world.backup([3])
    world.ledger.deliveries("tigerbeetle:0:1").park(len(list(world.ledger.entries())), "no")
    assert "events that were refused by TigerBeetle: 1" in reconcile(world.evidence()).pending


def test_a_transfer_that_cannot_be_read_is_no_backup(world: World) -> None:
    evidence = world.evidence()
    assert evidence.remote is not None
    newer = replace(evidence.entries[0], transfer=replace(evidence.entries[0].transfer, id=99, user_data_128=0))
    more = Remote(transfers=[*evidence.remote.transfers, newer], balance=evidence.remote.balance)
    assert reconcile(replace(evidence, remote=more)).findings == ()


def test_a_transfer_under_a_replaced_id_is_that_of_its_backup(world: World, fake_cluster: FakeCluster) -> None:
    backup = world.commit(world.start(), [4])
    with fake_cluster.state() as state:
        state.burned.add(backup.int)
    world.record(backup)
    world.deliver()
    found = reconcile(world.evidence())
    assert (found.findings, found.pending) == ((), ())
    elsewhere = world.evidence(ledger_id="new", entries=(), heads=(), deliveries={}, last_delivered=0)
    assert (reconcile(elsewhere).findings, reconcile(elsewhere).unknown) == ((), ())
