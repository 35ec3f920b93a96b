"""What a ledger of events promises beyond its transfers (test_transfers.py)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from duckback.errors import LedgerError
from duckback.ledger.base import GENESIS, Ledger
from duckback.ledger.codec import transfer_of
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import Event, EventKind, database_account_id, event_id, repository_account_id

REPOSITORY, OTHER = uuid4(), uuid4()


@pytest.fixture(params=["embedded"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    drivers = {"embedded": lambda: EmbeddedLedger(tmp_path / "state" / "ledger.sqlite")}
    opened: Ledger = drivers[request.param]()
    yield opened
    opened.close()


def event(kind: str = "completed", database: str = "hot", *, repository: UUID = REPOSITORY, amount: int = 0) -> Event:
    return Event(
        kind=EventKind(kind),
        backup_id=uuid4(),
        run_id=uuid4() if kind in {"recovery", "verification"} else None,
        repository_id=repository,
        database=database,
        scope="full",
        amount=amount,
        started_at=datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC),
        retention_days=90,
        manifest_sha256="ab" * 32 if kind == "completed" else None,
        details={"error_message": "Größe 大 \x00 'quoted'"} if kind == "failed" else {},
    )


def one_of_each() -> list[Event]:
    return [event(str(kind)) for kind in EventKind]


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_comes_back_as_it_was_recorded(ledger: Ledger, kind: EventKind) -> None:
    recorded = event(str(kind))
    before = datetime.now(UTC)
    entry = ledger.record(recorded)
    assert entry.transfer == transfer_of(recorded)
    assert (entry.kind, entry.database, entry.details) == (kind, "hot", recorded.details)
    assert before <= entry.recorded_at <= datetime.now(UTC)
    assert ledger.entry(entry.transfer.id) == entry
    assert list(ledger.entries()) == [entry]


@pytest.mark.parametrize("kind", EventKind)
def test_recording_again_changes_nothing_and_returns_the_original(ledger: Ledger, kind: EventKind) -> None:
    recorded = event(str(kind))
    first = ledger.record(recorded)
    ledger.record(event())
    head = ledger.head()
    assert ledger.record(replace(recorded)) == first
    assert ledger.head() == head
    assert len(list(ledger.entries())) == 2


def test_an_id_with_other_content_is_refused_and_leaves_the_ledger_alone(ledger: Ledger) -> None:
    recorded = event(amount=7)
    entry, head = ledger.record(recorded), ledger.head()
    others = [
        replace(recorded, amount=8),
        replace(recorded, database="cold"),
        replace(recorded, repository_id=OTHER),
        replace(recorded, scope="incremental"),
        replace(recorded, retention_days=91),
        replace(recorded, started_at=datetime(2026, 11, 23, 4, 5, 7, tzinfo=UTC)),
        replace(recorded, manifest_sha256="cd" * 32),
        replace(recorded, details={"error_message": "no"}),
    ]
    for other in others:
        with pytest.raises(LedgerError, match=str(recorded.backup_id)):
            ledger.record(other)
    assert list(ledger.entries()) == [entry]
    assert ledger.head() == head


def test_every_event_of_one_backup_is_an_entry_of_its_own(ledger: Ledger) -> None:
    backup = uuid4()
    for recorded in one_of_each():
        ledger.record(replace(recorded, backup_id=backup))
    ledger.record(replace(event("verification"), backup_id=backup))
    assert len(list(ledger.entries())) == 7
    assert ledger.entry(backup.int) is not None
    assert ledger.entry(event_id(EventKind.PRUNED, backup).int) is not None


def test_no_transfer_is_between_equal_accounts(ledger: Ledger) -> None:
    for recorded in [*one_of_each(), event(database="repository"), event(database="database:hot")]:
        transfer = ledger.record(recorded).transfer
        assert transfer.debit_account_id != transfer.credit_account_id


def test_the_balance_of_the_repository_is_what_its_backups_hold(ledger: Ledger) -> None:
    huge = 2**100
    for recorded in one_of_each():
        ledger.record(recorded)
    ledger.record(event(amount=100))
    ledger.record(event(database="cold", amount=huge))
    ledger.record(event("pruned", amount=30))
    ledger.record(event(repository=OTHER, amount=5))
    assert ledger.balance(repository_account_id(REPOSITORY).int) == (30, 100 + huge)
    assert ledger.balance(database_account_id(REPOSITORY, "hot").int) == (100, 30)
    assert ledger.balance(database_account_id(REPOSITORY, "cold").int) == (huge, 0)
    assert ledger.balance(repository_account_id(OTHER).int) == (0, 5)


def test_a_repeated_event_moves_its_bytes_once_and_exactly(ledger: Ledger) -> None:
    recorded = replace(event(amount=2**128 - 1), details={"a": "1", "b": "2"})
    ledger.record(recorded)
    ledger.record(replace(recorded, details={"b": "2", "a": "1"}))
    assert ledger.balance(repository_account_id(REPOSITORY).int) == (0, 2**128 - 1)


def test_entries_keep_their_order_over_many_pages(ledger: Ledger) -> None:
    recorded = [event(amount=number) for number in range(1100)]
    for each in recorded:
        ledger.record(each)
    assert [entry.transfer.amount for entry in ledger.entries()] == list(range(1100))


def test_entries_by_kind_database_and_repository(ledger: Ledger) -> None:
    kinds = [ledger.record(each) for each in one_of_each()]
    cold = ledger.record(event("failed", "cold"))
    other = ledger.record(event("failed", repository=OTHER))
    pruned = ledger.record(event("pruned", repository=OTHER, amount=1))
    failed = next(entry for entry in kinds if entry.kind == "failed")
    assert list(ledger.entries(kind=EventKind.FAILED)) == [failed, cold, other]
    assert list(ledger.entries(database="cold")) == [cold]
    assert list(ledger.entries(repository_id=OTHER)) == [other, pruned]
    assert list(ledger.entries(repository_id=REPOSITORY)) == [*kinds, cold]
    assert list(ledger.entries(repository_id=OTHER, database="hot", kind=EventKind.PRUNED)) == [pruned]
    assert list(ledger.entries(database="col_")) == []


def test_entries_by_time_include_the_start_and_exclude_the_end(ledger: Ledger) -> None:
    entries = [ledger.record(event()) for _ in range(5)]
    times = [entry.recorded_at for entry in entries]
    assert list(ledger.entries(since=times[1])) == [entry for entry in entries if entry.recorded_at >= times[1]]
    assert list(ledger.entries(until=times[3])) == [entry for entry in entries if entry.recorded_at < times[3]]
    assert list(ledger.entries(since=times[1], until=times[1])) == []
    assert list(ledger.entries(until=times[0])) == []


@pytest.mark.parametrize("side", ["since", "until"])
def test_a_time_without_a_zone_is_refused(ledger: Ledger, side: str) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="no zone"):
        list(ledger.entries(since=naive) if side == "since" else ledger.entries(until=naive))


def test_recording_while_reading_does_not_disturb_the_reader(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.record(event())
    seen = 0
    for _ in ledger.entries():
        ledger.record(event())
        seen += 1
    assert seen == 3
    assert len(list(ledger.entries())) == 6


def test_an_empty_ledger(ledger: Ledger) -> None:
    assert UUID(ledger.identity())
    assert list(ledger.entries()) == []
    assert ledger.entry(1) is None
    assert ledger.balance(1) == (0, 0)
    assert ledger.head() == GENESIS == "0" * 64


def test_the_head_is_another_after_every_entry(ledger: Ledger) -> None:
    heads = [ledger.head()]
    for _ in range(5):
        ledger.record(event())
        heads.append(ledger.head())
    assert len(set(heads)) == 6
    assert all(len(bytes.fromhex(head)) == 32 for head in heads)


def test_a_closed_ledger_refuses_and_may_be_closed_again(ledger: Ledger) -> None:
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError):
        ledger.record(event())
    with pytest.raises(LedgerError):
        list(ledger.entries())
