"""What every ledger shows, whatever keeps it: the embedded one, TigerBeetle, and the double that stands in for it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from support.ledgers import Book, event

from duckback.errors import LedgerError
from duckback.ledger.base import Transfers
from duckback.ledger.codec import transfer_of
from duckback.ledger.tigerbeetle import PAGE
from duckback.model.events import EventKind, database_account_id, repository_account_id


@pytest.fixture
def repository() -> UUID:
    return uuid4()


@pytest.fixture
def account(repository: UUID) -> int:
    return repository_account_id(repository).int


def amounts(ledger: Transfers, account: int) -> list[int]:
    return [posted.transfer.amount for posted in ledger.transfers(account)]


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_of_every_kind_comes_back_bit_by_bit(
    book: Book, repository: UUID, account: int, kind: EventKind
) -> None:
    recorded = event(2**100 + 1, kind, "Größe 大", repository=repository, manifest_sha256="f" * 64)
    book.record(recorded)
    posted = book.ledger.entry(transfer_of(recorded).id)
    assert posted is not None
    assert posted.transfer == transfer_of(recorded)
    assert posted.recorded_at.utcoffset() is not None
    assert list(book.ledger.transfers(account)) == [posted]


def test_the_same_event_again_is_one_transfer(book: Book, repository: UUID, account: int) -> None:
    recorded = event(7, repository=repository)
    book.record(recorded)
    first = book.ledger.entry(recorded.backup_id.int)
    book.record(event(1, repository=repository))
    book.record(replace(recorded))
    assert book.ledger.entry(recorded.backup_id.int) == first
    assert amounts(book.ledger, account) == [7, 1]
    assert book.ledger.balance(account) == (0, 8)


def test_an_id_with_other_content_is_refused_and_changes_nothing(book: Book, repository: UUID, account: int) -> None:
    recorded = event(7, repository=repository, manifest_sha256="ab" * 32)
    book.record(recorded)
    others = [
        replace(recorded, amount=8),
        replace(recorded, database="cold"),
        replace(recorded, repository_id=uuid4()),
        replace(recorded, scope="incremental"),
        replace(recorded, retention_days=91),
        replace(recorded, started_at=datetime(2026, 11, 23, 4, 5, 7, tzinfo=UTC)),
        replace(recorded, manifest_sha256="cd" * 32),
    ]
    for other in others:
        with pytest.raises(LedgerError):
            book.record(other)
    assert amounts(book.ledger, account) == [7]
    assert book.ledger.balance(account) == (0, 7)


def test_no_transfer_is_between_equal_accounts(book: Book, repository: UUID, account: int) -> None:
    for kind in EventKind:
        for database in ("hot", "repository", "database:hot"):
            book.record(event(1, kind, database, repository=repository))
    found = [posted.transfer for posted in book.ledger.transfers(account)]
    assert len(found) == 18
    assert all(one.debit_account_id != one.credit_account_id for one in found)


def test_balances_are_what_backups_added_and_prunes_took(book: Book, repository: UUID, account: int) -> None:
    other = uuid4()
    for kind in EventKind:
        book.record(event(0, kind, repository=repository))
    book.record(event(100, repository=repository))
    book.record(event(2**100, database="cold", repository=repository))
    book.record(event(30, EventKind.PRUNED, repository=repository))
    book.record(event(5, repository=other))
    assert book.ledger.balance(account) == (30, 100 + 2**100)
    assert book.ledger.balance(database_account_id(repository, "hot").int) == (100, 30)
    assert book.ledger.balance(database_account_id(repository, "cold").int) == (2**100, 0)
    assert book.ledger.balance(repository_account_id(other).int) == (0, 5)


def test_the_history_of_a_balance_has_a_step_for_each_transfer(book: Book, repository: UUID, account: int) -> None:
    book.record(event(100, repository=repository))
    book.record(event(0, EventKind.VERIFICATION, repository=repository))
    book.record(event(30, EventKind.PRUNED, repository=repository))
    history = list(book.ledger.balances(account))
    assert [(step.debits, step.credits) for step in history] == [(0, 100), (0, 100), (30, 100)]
    assert [step.recorded_at for step in history] == [one.recorded_at for one in book.ledger.transfers(account)]


def test_transfers_come_in_order_beyond_one_page(book: Book, repository: UUID, account: int) -> None:
    count = 2 * PAGE + 3
    for number in range(count):
        book.record(event(number, repository=repository))
    assert amounts(book.ledger, account) == list(range(count))
    assert len(list(book.ledger.balances(account))) == count


def test_transfers_by_code(book: Book, repository: UUID, account: int) -> None:
    book.record(event(1, repository=repository))
    assert len(list(book.ledger.transfers(account, code=12))) == 1
    assert list(book.ledger.transfers(account, code=13)) == []


def test_transfers_by_time_include_the_start_and_exclude_the_end(book: Book, repository: UUID, account: int) -> None:
    for _ in range(5):
        book.record(event(repository=repository))
    found = list(book.ledger.transfers(account))
    times = [one.recorded_at for one in found]
    assert list(book.ledger.transfers(account, since=times[1])) == [one for one in found if one.recorded_at >= times[1]]
    assert list(book.ledger.transfers(account, until=times[3])) == [one for one in found if one.recorded_at < times[3]]
    assert list(book.ledger.transfers(account, since=times[1], until=times[1])) == []
    assert list(book.ledger.transfers(account, until=datetime(1970, 1, 1, tzinfo=UTC))) == []
    assert list(book.ledger.transfers(account, since=datetime(1969, 1, 1, tzinfo=UTC))) == found


@pytest.mark.parametrize("side", ["since", "until"])
def test_a_time_without_a_zone_is_refused(book: Book, account: int, side: str) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="no zone"):
        list(
            book.ledger.transfers(account, since=naive)
            if side == "since"
            else book.ledger.transfers(account, until=naive)
        )


def test_what_is_unknown_is_nothing(book: Book, account: int) -> None:
    assert book.ledger.entry(uuid4().int) is None
    assert book.ledger.balance(account) == (0, 0)
    assert list(book.ledger.transfers(account)) == []
    assert list(book.ledger.balances(account)) == []


def test_a_closed_ledger_refuses_and_may_be_closed_again(book: Book, account: int) -> None:
    book.record(event())
    book.ledger.close()
    book.ledger.close()
    with pytest.raises(LedgerError):
        book.ledger.balance(account)
    with pytest.raises(LedgerError):
        book.record(event())
