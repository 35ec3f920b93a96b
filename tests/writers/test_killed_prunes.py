"""A prune that is killed at any call to the store, or refused there, is finished by the next one."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.faulty import Fault, FaultyStore
from support.interleave import Process, Serial
from support.manifests import a_manifest
from support.writers import (
    LATER,
    SIZE,
    Book,
    a_ref,
    assert_everything_adds_up,
    backup,
    cleanup,
    lacking,
    prune,
    repository,
    the_id,
    with_table,
)

from duckback.errors import IntegrityError, NoSuchBackup, StoreUnavailable, UsageError
from duckback.model.manifest import encode
from duckback.model.seal import sealed
from duckback.model.tombstone import Tombstone
from duckback.repository import layout
from duckback.repository.pins import pin, read_pins, unpin
from duckback.repository.stones import look
from duckback.store.base import DeleteFailure
from duckback.store.memory import MemoryStore


@pytest.fixture(autouse=True)
def _one_thread_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duckback.repository.stones.ThreadPoolExecutor", Serial)


def a_repository(store: MemoryStore, book: Book) -> None:
    """A full backup, two incrementals on it, a full, and an object of a run that was killed."""
    backup(store, book, 1, full=True)
    backup(store, book, 2)
    backup(store, book, 3)
    backup(store, book, 4, full=True)
    store.create(a_ref(the_id(5), "full").key, b"x" * SIZE)


def steps_of(act: Callable[[Any, Book], object]) -> int:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    process, count = Process(lambda mine: act(mine, book), store), 0
    while not process.is_over:
        process.step()
        count += 1
    assert process.error is None
    return count


def test_a_prune_killed_at_any_step_is_finished_by_the_next() -> None:
    steps = steps_of(prune)
    assert steps > 20
    for killed_at in range(1, steps):
        store, book = MemoryStore(), Book()
        a_repository(store, book)
        process = Process(lambda mine, book=book: prune(mine, book), store)  # type: ignore[misc]  # bound at once
        for _ in range(killed_at):
            process.step()
        process.kill()
        assert lacking(store, set(book.completed)) == [], killed_at
        prune(store, book)
        assert_everything_adds_up(store, book)
        assert repository(store).backup_ids("hot") == [the_id(4)]
        assert set(book.pruned) == {the_id(1), the_id(2), the_id(3)}


def test_what_one_event_was_lost_of_is_recorded_by_the_next_run() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    prune(store, book)
    complete = dict(book.pruned)
    del book.pruned[the_id(2)]
    prune(store, book)
    assert book.pruned == complete


def test_what_the_store_refuses_to_delete_is_reported_and_not_done_until_a_later_run_can() -> None:
    inner, book = MemoryStore(), Book()
    a_repository(inner, book)
    stubborn = a_ref(the_id(2), "incremental").key

    class Refusing(MemoryStore):
        def delete(self, keys: list[str]) -> list[DeleteFailure]:
            super().delete([key for key in keys if key != stubborn])
            return [DeleteFailure(key, "not today") for key in keys if key == stubborn]

    store = Refusing()
    store._objects = inner._objects
    cleaned = prune(store, book)
    assert [(one.key, one.reason) for one in cleaned.refused] == [(stubborn, "not today")]
    assert look(inner, "hot").going == [the_id(2)]
    assert the_id(2) not in book.pruned
    assert prune(inner, book).refused == ()
    assert_everything_adds_up(inner, book)


def test_what_an_object_lock_holds_is_a_reason_to_wait_and_no_failure() -> None:
    inner, book = MemoryStore(), Book()
    a_repository(inner, book)

    class Locking(MemoryStore):
        def delete(self, keys: list[str]) -> list[DeleteFailure]:
            return [DeleteFailure(key, "locked until tomorrow", LATER) for key in keys]

    store = Locking()
    store._objects = inner._objects
    cleaned = prune(store, book)
    assert cleaned.refused == ()
    assert {one.reason for one in cleaned.locked} == {"locked until tomorrow"}
    assert book.pruned == {}


@pytest.mark.parametrize("method", ["list", "get", "create", "delete"])
def test_a_prune_on_a_store_that_fails_raises_and_loses_nothing(method: str) -> None:
    for call in range(1, 12):
        inner, book = MemoryStore(), Book()
        a_repository(inner, book)
        store = FaultyStore(inner, Fault(method, StoreUnavailable("down"), first=call, last=call))
        try:
            prune(store, book)
        except StoreUnavailable:
            assert lacking(inner, set(book.completed)) == []
        prune(inner, book)
        assert_everything_adds_up(inner, book)


def test_nothing_goes_while_a_manifest_cannot_be_read() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    store.create(layout.manifest_key("hot", the_id(9)), b"{}")
    before = [listed.key for listed in store.list("")]
    with pytest.raises(IntegrityError, match=str(the_id(9))):
        prune(store, book)
    assert [listed.key for listed in store.list("")] == before


def test_nothing_goes_where_a_tombstone_names_what_is_not_its_databases() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    forged = {
        "backup_id": str(the_id(9)), "cause": "retention", "scope": "full", "reason": "mine", "retention_days": 1,
        "objects": [{"key": "cold/duckdb/full/x.parquet", "size": 1}], "started_at": "2026-01-01T00:00:00Z",
        "manifest_sha256": None,
    }  # fmt: skip
    stone = Tombstone.model_validate_json(json.dumps(forged))
    store.create(layout.tombstone_key("hot", the_id(9)), sealed(stone))
    with pytest.raises(IntegrityError, match="outside its database"):
        prune(store, book)
    assert len(repository(store).backup_ids("hot")) == 4


def test_objects_of_a_completed_backup_whose_manifest_vanished_are_left_alone() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    store.delete([layout.manifest_key("hot", the_id(3))])
    cleaned = prune(store, book, keep=10)
    assert cleaned.orphans is not None
    assert cleaned.orphans.orphaned == {the_id(3): 1}
    assert a_ref(the_id(3), "incremental").key in {listed.key for listed in store.list("")}


def test_a_backup_whose_run_died_at_its_commit_and_relies_on_what_went_is_taken_back() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    prune(store, book)
    gone = a_ref(the_id(1), "full")
    dead = a_manifest(repository(store).id, backup_id=the_id(6), scope="incremental", parent_id=the_id(1))
    data = encode(with_table(dead, (gone, a_ref(the_id(6), "incremental"))))
    store.create(layout.manifest_key("hot", the_id(6)), data)
    prune(store, book, keep=10)
    assert repository(store).backup_ids("hot") == [the_id(4)]
    assert_everything_adds_up(store, book)


def test_a_preview_changes_nothing_and_says_what_the_prune_then_does() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    before = [listed.key for listed in store.list("")]
    preview = cleanup(store, book).preview()
    assert [listed.key for listed in store.list("")] == before
    done = prune(store, book)
    assert (preview.decisions, preview.freed) == (done.decisions, done.freed)
    assert done.freed == book.pruned


def test_a_policy_that_would_remove_everything_is_refused_and_removes_nothing() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    before = [listed.key for listed in store.list("")]
    with pytest.raises(UsageError, match="would remove every backup"):
        prune(store, book, keep=0)
    assert [listed.key for listed in store.list("")] == before


def test_a_pinned_backup_stays_and_an_unpinned_one_goes() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    assert pin(store, "hot", the_id(2), "the audit", LATER).reason == "the audit"
    assert pin(store, "hot", the_id(2), "another reason", LATER).reason == "the audit", "the first pin counts"
    prune(store, book)
    assert repository(store).backup_ids("hot") == [the_id(2), the_id(4)]
    unpin(store, "hot", the_id(2))
    prune(store, book)
    assert repository(store).backup_ids("hot") == [the_id(4)]


def test_what_is_being_pruned_cannot_be_pinned() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    prune(store, book)
    with pytest.raises(NoSuchBackup, match="is being pruned already"):
        pin(store, "hot", the_id(2), "too late", LATER)
    assert read_pins(store, "hot") == {}


def test_a_damaged_pin_stops_a_prune_and_is_named() -> None:
    store, book = MemoryStore(), Book()
    a_repository(store, book)
    store.create(layout.pin_key("hot", the_id(2)), b"keep me")
    with pytest.raises(IntegrityError, match=r"pins/.* is damaged"):
        prune(store, book)
    assert len(repository(store).backup_ids("hot")) == 4
