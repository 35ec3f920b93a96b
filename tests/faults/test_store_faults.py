"""A store that fails at any call: the backup succeeds or fails clearly, and is never visible in part."""

import errno
import shutil
from pathlib import Path

import pytest
from support.faulty import Fault, FaultyStore
from support.graves import entomb
from support.place import ROWS, TABLES, small_database

from duckback import Duckback
from duckback.errors import AccessDenied, DuckbackError, OutcomeUnknown, StoreError, StoreUnavailable
from duckback.ledger.embedded import EmbeddedLedger
from duckback.repository import layout
from duckback.routes.exchange import BackupExchange, required
from duckback.store.memory import MemoryStore

DOWN = StoreUnavailable("the store is down")
DENIED = AccessDenied("the store refuses these credentials")
FULL = StoreError("cannot store: No space left on device")


@pytest.fixture
def store() -> FaultyStore:
    return FaultyStore(MemoryStore())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return small_database(tmp_path / "small.duckdb")


@pytest.fixture
def duckback(tmp_path: Path, store: FaultyStore, monkeypatch: pytest.MonkeyPatch) -> Duckback:
    monkeypatch.setattr("duckback.api.keeping.open_store", lambda url, s3, lock: store)
    return Duckback(repo="replaced", state_dir=tmp_path / "state", threads=1)


def kinds(tmp_path: Path) -> list[str]:
    with EmbeddedLedger(tmp_path / "state" / "ledger.sqlite") as ledger:
        return [entry.kind.value for entry in ledger.entries()]


def failure_messages(tmp_path: Path) -> list[str]:
    with EmbeddedLedger(tmp_path / "state" / "ledger.sqlite") as ledger:
        return [entry.details.get("error_message", "") for entry in ledger.entries() if entry.kind.value == "failed"]


def forget_local_copies(tmp_path: Path, done: BackupExchange) -> None:
    (copies,) = (tmp_path / "state").rglob(str(done.backup_id))
    shutil.rmtree(copies)


def keys(store: FaultyStore, word: str) -> list[str]:
    return [listed.key for listed in store.inner.list("") if word in listed.key]


def assert_nothing_is_staged(tmp_path: Path) -> None:
    assert list((tmp_path / "state" / "staging").iterdir()) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("method", "call", "error"),
    [
        ("get", 1, DOWN),
        ("create", 1, DENIED),
        ("put_file", 1, FULL),
        ("put_file", 2, DENIED),
        ("head", 2, DOWN),
        ("create", 2, FULL),
        ("create", 3, FULL),
        ("list", 1, DENIED),
        ("list", 4, DENIED),
        ("list", 6, DOWN),
        ("delete", 1, DOWN),
    ],
)
def test_a_failing_call_never_leaves_a_visible_part_of_a_backup(
    *, tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path,
    error: DuckbackError, after: bool, method: str, call: int,
) -> None:  # fmt: skip
    store.faults.append(Fault(method, error, first=call, last=call, after=after))
    try:
        done = duckback.backup(database)
    except DuckbackError as raised:
        assert raised is error  # noqa: PT017 -- success is allowed too
        done = None
    store.faults.clear()
    if (tmp_path / "state" / "staging").exists():
        assert_nothing_is_staged(tmp_path)
    if keys(store, "/manifests/"):
        (listed,) = duckback.backups()
        assert done is None or listed.summary.backup_id == done.backup_id
        assert all(result.is_good for result in duckback.verify().results)
    else:
        assert done is None
        # Where the manifest was refused the objects stay: a late answer could still make it appear.
        assert method == "create" or keys(store, ".parquet") == []
    second = duckback.backup(database)
    assert duckback.backups()[-1].summary.backup_id == second.backup_id
    assert all(result.is_good for result in duckback.verify().results)
    assert second.committed is not None
    assert second.committed.manifest.rows == ROWS


@pytest.mark.parametrize("call", [1, 2])
def test_objects_of_a_failed_run_are_removed_and_the_run_is_on_record(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path, call: int
) -> None:
    store.faults.append(Fault("put_file", DOWN, first=call, last=call))
    with pytest.raises(StoreUnavailable, match="the store is down"):
        duckback.backup(database)
    assert keys(store, ".parquet") == keys(store, "/manifests/") == []
    assert kinds(tmp_path) == ["started", "failed"]
    assert failure_messages(tmp_path) == ["the store is down"]
    assert_nothing_is_staged(tmp_path)


def test_objects_that_cannot_be_removed_are_told_beside_the_first_failure(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    store.faults += [Fault("head", DENIED, first=2, last=2), Fault("delete", DOWN)]
    with pytest.raises(AccessDenied) as raised:
        duckback.backup(database)
    assert "objects without a backup may be left" in raised.value.__notes__[0]
    assert failure_messages(tmp_path) == ["the store refuses these credentials"]


def test_an_answer_lost_after_the_manifest_was_created_counts_as_committed(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    store.faults.append(Fault("create", DOWN, after=True, key="/manifests/"))
    done = duckback.backup(database)
    assert [one.summary.backup_id for one in duckback.backups()] == [done.backup_id]
    assert kinds(tmp_path) == ["started", "completed"]


def test_a_manifest_that_the_store_did_not_take_is_a_failed_run(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    store.faults.append(Fault("create", DOWN, key="/manifests/"))
    with pytest.raises(StoreUnavailable):
        duckback.backup(database)
    assert keys(store, "/manifests/") == []
    assert kinds(tmp_path) == ["started", "failed"]


@pytest.mark.parametrize("after", [False, True], ids=["not-committed", "committed"])
def test_an_unknown_outcome_stays_pending_until_the_next_run_settles_it(
    *, tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path, after: bool
) -> None:
    store.faults += [
        Fault("create", DOWN, after=after, key="/manifests/"),
        Fault("get", DOWN, first=1, last=99, key="/manifests/"),
    ]
    with pytest.raises(OutcomeUnknown, match="did not say whether"):
        duckback.backup(database)
    assert kinds(tmp_path) == ["started"]
    store.faults.clear()
    duckback.backup(database)
    completed = ["completed"] * (2 if after else 1)
    assert kinds(tmp_path) == ["started", "started", *completed]
    assert len(duckback.backups()) == len(completed)
    assert all(result.is_good for result in duckback.verify().results)


def test_a_tombstone_that_appears_at_the_commit_takes_the_backup_back_and_it_is_taken_again(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    def bury(key: str) -> None:
        backup_id = layout.backup_of_manifest(key)
        if backup_id is not None:
            store.before.clear()
            entomb(store.inner, "small", backup_id)

    store.before["create"] = bury
    done = duckback.backup(database)
    assert [one.summary.backup_id for one in duckback.backups()] == [done.backup_id]
    assert kinds(tmp_path) == ["started", "failed", "started", "completed"]
    assert all(result.is_good for result in duckback.verify().results)


def test_a_tombstone_that_cannot_be_looked_for_does_not_lose_the_commit(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    store.faults.append(Fault("list", DOWN, first=1, last=99, key="/pruned/"))
    with pytest.raises(StoreUnavailable):
        duckback.backup(database)
    store.faults.clear()
    duckback.backup(database)
    assert kinds(tmp_path).count("completed") == len(duckback.backups())
    assert "failed" not in kinds(tmp_path)


def test_a_failing_cleanup_is_a_notice_and_the_backup_is_good(
    tmp_path: Path, duckback: Duckback, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("duckback.repository.cleanup.past_their_time", refuse)
    done = duckback.backup(database)
    assert done.notices == ("the backup is complete, but its clean-up failed: [Errno 28] No space left on device",)
    assert done.status == "completed"
    assert kinds(tmp_path) == ["started", "completed"]
    assert_nothing_is_staged(tmp_path)


def test_local_copies_that_cannot_be_kept_are_a_notice_and_the_backup_is_good(
    tmp_path: Path, duckback: Duckback, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("duckback.processors.keep_local_copies.shutil.move", refuse)
    done = duckback.backup(database)
    what = "no local copies of it were kept"
    assert done.notices == (f"the backup is complete, but {what}: [Errno 28] No space left on device",)
    assert done.status == "completed"
    assert_nothing_is_staged(tmp_path)


@pytest.mark.parametrize("method", ["get", "fetch", "list", "folders"])
def test_a_restore_from_a_failing_store_touches_nothing(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path, method: str
) -> None:
    forget_local_copies(tmp_path, duckback.backup(database))
    store.faults.append(Fault(method, DOWN, last=99))
    (tmp_path / "target").mkdir()
    with pytest.raises(StoreUnavailable):
        duckback.restore(tmp_path / "target" / "new")
    assert list((tmp_path / "target").iterdir()) == []
    assert_nothing_is_staged(tmp_path)


def test_a_restore_takes_local_copies_and_asks_the_store_for_no_rows(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    duckback.backup(database)
    duckback.restore(tmp_path / "new")
    assert "fetch" not in [method for method, _ in store.calls]


def test_a_damaged_local_copy_is_not_taken(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    done = duckback.backup(database)
    (copy,) = (tmp_path / "state").rglob("*-main.visits.0000.parquet")
    copy.write_bytes(copy.read_bytes()[:-1] + b"?")
    duckback.restore(tmp_path / "new")
    assert [key for method, key in store.calls if method == "fetch"] == [
        ref.key for ref in required(done.committed).manifest.objects if ".visits." in ref.key
    ]


def test_a_restore_goes_through_a_store_that_is_not_a_directory(
    tmp_path: Path, duckback: Duckback, store: FaultyStore, database: Path
) -> None:
    forget_local_copies(tmp_path, duckback.backup(database))
    done = duckback.restore(tmp_path / "new")
    assert len(done.files) == TABLES
    assert [method for method, _ in store.calls].count("fetch") == TABLES
