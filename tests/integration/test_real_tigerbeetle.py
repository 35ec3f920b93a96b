"""A real TigerBeetle that is down, slow, another cluster, full or restarted: no backup notices, and none is recorded twice."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import tigerbeetle as tb
from support.ledgers import event
from support.place import Place
from support.tigerbeetle import TigerBeetleServer

from duckback.errors import LedgerUnavailable
from duckback.ledger.base import Transfer
from duckback.ledger.codec import transfer_of
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.limited import each
from duckback.ledger.outbox import Outbox
from duckback.ledger.remote import Remote
from duckback.ledger.tigerbeetle import TigerBeetle
from duckback.model.events import repository_account_id

DEVELOPMENT_CLIENTS = 8
"""That a server for development takes at once."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    with EmbeddedLedger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def remote(server: TigerBeetleServer, seconds: float = 2, cluster: int = 0) -> Remote:
    return Remote(addresses=(server.address,), cluster_id=cluster, timeout=timedelta(seconds=seconds))


def amounts(server: TigerBeetleServer, repository: UUID) -> list[int]:
    with closing(TigerBeetle([server.address], 0, each(30))) as receiver:
        return [one.transfer.amount for one in receiver.transfers(repository_account_id(repository).int)]


def there(server: TigerBeetleServer, seconds: int = 2) -> tuple[str, ...]:
    return ("--tigerbeetle-addresses", server.address, "--ledger-timeout", f"{seconds}s")


def test_a_run_is_recorded_in_both_and_nothing_contradicts(place: Place, tigerbeetle_server: TigerBeetleServer) -> None:
    options = there(tigerbeetle_server, 30)
    place.run("backup", place.database, *options).worked()
    place.run("backup", place.database, "--full", *options).worked()
    place.run("restore", place.target, *options).worked()
    place.run("verify", *options).worked()
    listed = place.run("ledger list", "--json", *options).worked().json
    assert {one["delivery"] for one in listed["events"]} == {"delivered"}
    assert len(listed["events"]) == 7
    assert place.run("ledger verify", "--json", *options).worked().json["findings"] == []
    place.manifests()[0].unlink()
    found = place.run("ledger verify", "--json", *options)
    assert (found.code, {one["finding"] for one in found.json["findings"]}) == (20, {"backup-missing", "balance"})


def test_down_during_a_run_and_up_for_the_next(place: Place, tigerbeetle_server: TigerBeetleServer) -> None:
    options = there(tigerbeetle_server)
    tigerbeetle_server.stop()
    started = time.monotonic()
    first = place.run("backup", place.database, *options).worked()
    assert time.monotonic() - started < 60
    assert "did not answer in time; events that wait for it: 2" in first.err
    tigerbeetle_server.start()
    place.run("backup", place.database, *there(tigerbeetle_server, 30)).worked()
    listed = place.run("ledger list", "--json", *options).worked().json
    assert [one["delivery"] for one in listed["events"]] == ["delivered"] * 4
    assert place.run("ledger verify", "--json", *there(tigerbeetle_server, 30)).worked().json["pending"] == []


def test_silent_in_the_middle_of_an_attempt(ledger: EmbeddedLedger, tigerbeetle_server: TigerBeetleServer) -> None:
    repository = uuid4()
    for amount in range(1, 51):
        ledger.record(event(amount, repository=repository))
    tigerbeetle_server.pause()
    started = time.monotonic()
    attempt = Outbox(ledger, remote(tigerbeetle_server)).deliver()
    assert time.monotonic() - started < 10
    assert attempt.unavailable is not None
    assert attempt.backlog.waiting == 50
    tigerbeetle_server.resume()
    assert Outbox(ledger, remote(tigerbeetle_server, 30)).deliver_all().backlog.waiting == 0
    assert amounts(tigerbeetle_server, repository) == list(range(1, 51))


def test_restarted_in_the_middle_of_a_call_which_then_ends(
    ledger: EmbeddedLedger, tigerbeetle_server: TigerBeetleServer
) -> None:
    repository = uuid4()
    for amount in range(1, 301):
        ledger.record(event(amount, repository=repository))

    def restart() -> None:
        with EmbeddedLedger(ledger._path) as watched:
            while watched.deliveries(remote(tigerbeetle_server).name).last() < 20:
                time.sleep(0.001)
        tigerbeetle_server.stop()
        tigerbeetle_server.start()

    thread = threading.Thread(target=restart)
    thread.start()
    attempt = Outbox(ledger, remote(tigerbeetle_server, 60)).deliver()
    thread.join()
    assert (attempt.unavailable, attempt.backlog.waiting) == (None, 0)
    assert amounts(tigerbeetle_server, repository) == list(range(1, 301))


def test_killed_and_given_up_again_and_again_each_event_is_there_once(
    ledger: EmbeddedLedger, tigerbeetle_server: TigerBeetleServer
) -> None:
    repository = uuid4()
    for amount in range(1, 201):
        ledger.record(event(amount, repository=repository))
    for _ in range(3):
        timer = threading.Timer(0.75, tigerbeetle_server.stop)
        timer.start()
        Outbox(ledger, remote(tigerbeetle_server, 1)).deliver()
        timer.join()
        tigerbeetle_server.start()
    assert Outbox(ledger, remote(tigerbeetle_server, 30)).deliver_all().backlog.waiting == 0
    assert amounts(tigerbeetle_server, repository) == list(range(1, 201))


FORKED = """
import os, sys
from uuid import uuid4
from support.ledgers import event
from duckback.ledger.codec import transfer_of
from duckback.ledger.limited import each
from duckback.ledger.tigerbeetle import TigerBeetle

receiver = TigerBeetle([sys.argv[1]], 0, each(30))
repository = uuid4()
receiver.post(transfer_of(event(1, repository=repository)))
child = os.fork()
receiver.post(transfer_of(event(2, repository=repository)))
account = transfer_of(event(repository=repository)).credit_account_id
if child == 0:
    receiver.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), [one.transfer.amount for one in receiver.transfers(account)])
receiver.close()
"""


def test_a_forked_child_posts_and_its_parent_goes_on(tigerbeetle_addresses: tuple[str, ...]) -> None:
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", FORKED, tigerbeetle_addresses[0]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "0 [1, 2, 2]\n"), done.stderr


def test_another_cluster_s_id_is_silence_and_everything_waits(
    ledger: EmbeddedLedger, tigerbeetle_server: TigerBeetleServer
) -> None:
    ledger.record(event())
    attempt = Outbox(ledger, remote(tigerbeetle_server, 1, cluster=7)).deliver()
    assert attempt.unavailable is not None
    assert "cluster 7" in attempt.unavailable.message
    assert attempt.backlog.waiting == 1


def test_a_server_at_its_limit_of_connections_is_silence_until_one_is_free(
    ledger: EmbeddedLedger, tigerbeetle_server: TigerBeetleServer
) -> None:
    repository = uuid4()
    ledger.record(event(5, repository=repository))
    with ExitStack() as stack:
        for _ in range(DEVELOPMENT_CLIENTS):
            client = stack.enter_context(tb.ClientSync(0, tigerbeetle_server.address))
            client.lookup_accounts([1])
        attempt = Outbox(ledger, remote(tigerbeetle_server)).deliver()
        assert attempt.unavailable is not None
        assert attempt.backlog.waiting == 1
    assert Outbox(ledger, remote(tigerbeetle_server, 30)).deliver().delivered == 1
    assert amounts(tigerbeetle_server, repository) == [5]


def test_a_call_that_was_given_up_may_have_taken_effect_and_is_one_transfer(
    tigerbeetle_server: TigerBeetleServer,
) -> None:
    transfer: Transfer = transfer_of(event(9, repository=uuid4()))
    tigerbeetle_server.pause()
    with closing(TigerBeetle([tigerbeetle_server.address], 0, each(1))) as receiver:
        with pytest.raises(LedgerUnavailable):
            receiver.post(transfer)
        tigerbeetle_server.resume()
    with closing(TigerBeetle([tigerbeetle_server.address], 0, each(30))) as receiver:
        first = receiver.post(transfer)
        assert receiver.post(transfer) == first
        assert receiver.balance(transfer.credit_account_id) == (0, 9)
