"""From the embedded ledger to a receiver: in order, once in effect, and never in the way."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid5

import pytest
import tigerbeetle as tb
from support.fake_tigerbeetle import FakeCluster
from support.ledgers import REPOSITORY, event

from duckback.ledger.codec import ids_of, transfer_of
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.outbox import Outbox
from duckback.ledger.remote import Remote
from duckback.model.events import EventKind, repository_account_id

REMOTE = Remote(addresses=("127.0.0.1:3000",), timeout=timedelta(seconds=0.5))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    with EmbeddedLedger(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def outbox(ledger: EmbeddedLedger, fake_cluster: FakeCluster) -> Outbox:
    return Outbox(ledger, REMOTE)


def amounts(cluster: FakeCluster) -> list[int]:
    with cluster.state() as state:
        return [one.amount for one in sorted(state.transfers.values(), key=lambda one: one.timestamp)]


def states(ledger: EmbeddedLedger, remote: Remote = REMOTE) -> list[str]:
    return [delivery.state for _, delivery in ledger.deliveries(remote.name).states()]


def test_events_are_delivered_in_the_order_in_which_they_were_recorded(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    for amount in range(1, 6):
        ledger.record(event(amount))
    attempt = outbox.deliver()
    assert (attempt.delivered, attempt.refused, attempt.unavailable) == (5, (), None)
    assert amounts(fake_cluster) == [1, 2, 3, 4, 5]
    assert states(ledger) == ["delivered"] * 5
    assert outbox.deliver().delivered == 0


def test_a_transfer_arrives_with_its_id_and_every_field(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    recorded = event(7, manifest_sha256="ab" * 32)
    ledger.record(recorded)
    outbox.deliver()
    with fake_cluster.state() as state:
        found = state.transfers[recorded.backup_id.int]
        assert {account.flags for account in state.accounts.values()} == {tb.AccountFlags.HISTORY}
        assert {account.code for account in state.accounts.values()} == {12}
    ours = transfer_of(recorded)
    assert all(getattr(found, name) == getattr(ours, name) for name in vars(ours))


def test_transfers_carry_the_number_of_the_ledger_that_is_configured(
    ledger: EmbeddedLedger, fake_cluster: FakeCluster
) -> None:
    ledger.record(event())
    remote = replace(REMOTE, number=7)
    assert Outbox(ledger, remote).deliver().delivered == 1
    with fake_cluster.state() as state:
        assert [one.ledger for one in state.transfers.values()] == [7]
        assert [one.ledger for one in state.accounts.values()] == [7, 7]


def test_a_silent_server_takes_the_time_of_one_attempt_and_everything_waits(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    for amount in range(1, 4):
        ledger.record(event(amount))
    fake_cluster.silent = True
    started = time.monotonic()
    attempt = outbox.deliver()
    assert time.monotonic() - started < 5
    assert attempt.unavailable is not None
    assert (attempt.backlog.waiting, attempt.backlog.parked) == (3, 0)
    assert attempt.backlog.oldest == next(ledger.entries()).recorded_at
    assert "events that wait for it: 3" in next(attempt.notices)
    fake_cluster.silent = False
    assert outbox.deliver().delivered == 3
    assert amounts(fake_cluster) == [1, 2, 3]


def test_a_slow_server_ends_an_attempt_and_not_the_delivery(ledger: EmbeddedLedger, fake_cluster: FakeCluster) -> None:
    outbox = Outbox(ledger, replace(REMOTE, timeout=timedelta(seconds=1)))
    for amount in range(1, 7):
        ledger.record(event(amount))
    fake_cluster.seconds = 0.2
    started = time.monotonic()
    attempt = outbox.deliver()
    assert time.monotonic() - started < 5
    assert attempt.unavailable is not None
    assert 0 < attempt.delivered < 6
    rest = outbox.deliver_all()
    assert attempt.delivered + rest.delivered == 6
    assert rest.unavailable is None
    assert amounts(fake_cluster) == [1, 2, 3, 4, 5, 6]


def test_a_refused_event_is_parked_and_the_others_go_on(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    events = [event(amount) for amount in (1, 2, 3)]
    taken = replace(events[1], amount=99)
    with EmbeddedLedger(ledger._path.with_name("other")) as other:
        other.record(taken)
        Outbox(other, REMOTE).deliver()
    for each in events:
        ledger.record(each)
    attempt = outbox.deliver()
    assert attempt.delivered == 2
    assert [one.entry.transfer.amount for one in attempt.refused] == [2]
    assert "exists with different amount" in attempt.refused[0].reason
    assert states(ledger) == ["delivered", "parked", "delivered"]
    assert (attempt.backlog.waiting, attempt.backlog.parked) == (0, 1)
    assert str(events[1].backup_id) in next(attempt.notices)
    again = outbox.deliver()
    assert (again.delivered, again.refused, again.backlog.parked) == (0, (), 1)


def test_what_is_parked_has_its_turn_again_when_asked_for(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    parked = event(2)
    ledger.record(parked)
    entry = next(ledger.entries())
    ledger.deliveries(REMOTE.name).park(1, "for a reason that is gone")
    assert outbox.deliver().delivered == 0
    attempt = outbox.deliver_all()
    assert (attempt.delivered, attempt.backlog.parked) == (1, 0)
    assert states(ledger) == ["delivered"]
    with fake_cluster.state() as state:
        assert list(state.transfers) == [entry.transfer.id]


def test_a_delivered_event_is_never_parked_again(ledger: EmbeddedLedger, outbox: Outbox) -> None:
    ledger.record(event())
    outbox.deliver()
    ledger.deliveries(REMOTE.name).park(1, "by a process that was late")
    assert states(ledger) == ["delivered"]


@pytest.mark.parametrize("burned", [1, 3])
def test_a_burned_id_is_replaced_by_one_of_the_attempt(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster, burned: int
) -> None:
    recorded = event(5)
    ledger.record(recorded)
    with fake_cluster.state() as state:
        state.burned.update(list(ids_of(recorded.backup_id.int))[:burned])
    assert outbox.deliver().delivered == 1
    replacement = uuid5(recorded.backup_id, str(burned))
    assert [delivery.transfer_id for _, delivery in ledger.deliveries(REMOTE.name).states()] == [replacement.int]
    with fake_cluster.state() as state:
        assert list(state.transfers) == [replacement.int]


def test_an_event_all_of_whose_ids_are_burned_is_parked(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    recorded = event(5)
    ledger.record(recorded)
    with fake_cluster.state() as state:
        state.burned.update(ids_of(recorded.backup_id.int))
    attempt = outbox.deliver()
    assert "burned all ids" in attempt.refused[0].reason
    assert str(recorded.backup_id) in attempt.refused[0].reason


def test_another_cluster_gets_everything_from_the_beginning(ledger: EmbeddedLedger, outbox: Outbox) -> None:
    ledger.record(event())
    outbox.deliver()
    other = replace(REMOTE, cluster_id=42)
    assert states(ledger, other) == ["waiting"]
    assert Outbox(ledger, other).deliver().delivered == 1


def test_without_a_server_nothing_is_delivered_and_nothing_waits(ledger: EmbeddedLedger) -> None:
    ledger.record(event())
    outbox = Outbox(ledger, None)
    attempt = outbox.deliver()
    assert (attempt.delivered, attempt.unavailable, list(attempt.notices)) == (0, None, [])
    assert outbox.backlog().waiting == 0


def test_two_that_deliver_at_once_post_each_event_once(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    for amount in range(1, 6):
        ledger.record(event(amount))
    with EmbeddedLedger(ledger._path) as same:
        other = Outbox(same, REMOTE)
        seq, entry = ledger.deliveries(REMOTE.name).next() or (0, None)
        assert (seq, entry) == (1, next(ledger.entries()))
        assert other.deliver().delivered == 5
    assert outbox.deliver().delivered == 0
    assert amounts(fake_cluster) == [1, 2, 3, 4, 5]


def test_the_balance_there_is_the_balance_here(
    ledger: EmbeddedLedger, outbox: Outbox, fake_cluster: FakeCluster
) -> None:
    for each in (event(100), event(0, EventKind.STARTED), event(30, EventKind.PRUNED), event(2**70)):
        ledger.record(each)
    outbox.deliver()
    account = repository_account_id(REPOSITORY).int
    found = fake_cluster.client(0, "127.0.0.1:3000").lookup_accounts([account])[0]
    assert (found.debits_posted, found.credits_posted) == ledger.balance(account) == (30, 100 + 2**70)


def test_ids_of_an_event_are_its_own_and_nine_that_derive_from_it() -> None:
    own = UUID("0190b5a0-0000-7000-8000-000000000001")
    expected = [own.int, *(uuid5(own, text).int for text in "123456789")]
    assert list(ids_of(own.int)) == expected
