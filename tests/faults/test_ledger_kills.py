"""Killed between any two steps of record, deliver and mark: after another run, each ledger has each event once."""

import pickle
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from support.fake_tigerbeetle import FakeCluster
from support.ledgers import event

from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.limited import each
from duckback.ledger.outbox import Outbox
from duckback.ledger.remote import Remote
from duckback.ledger.tigerbeetle import TigerBeetle
from duckback.model.events import Event, EventKind, event_id, repository_account_id

# Records and delivers; before and after each step it counts, and at the given count kills itself as kill -9 does.
CHILD = """
import os, pickle, signal, sys
from datetime import timedelta
from pathlib import Path
from duckback.ledger import tigerbeetle
from duckback.ledger.deliveries import Deliveries
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.outbox import Outbox
from duckback.ledger.remote import Remote

folder, fatal, addresses = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if not addresses:
    from support.fake_tigerbeetle import FakeCluster
    tigerbeetle.tb.ClientSync = FakeCluster(folder / "cluster").client

passed = 0
def pass_boundary():
    global passed
    if passed == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    passed += 1

def step(owner, name):
    inner = getattr(owner, name)
    def outer(*args, **kwargs):
        pass_boundary()
        result = inner(*args, **kwargs)
        pass_boundary()
        return result
    setattr(owner, name, outer)

step(EmbeddedLedger, "record")
step(tigerbeetle.TigerBeetle, "_make_accounts")
step(tigerbeetle.TigerBeetle, "post")
step(Deliveries, "mark_delivered")
remote = Remote(addresses=(addresses or "127.0.0.1:3000").split(","), timeout=timedelta(seconds=30))
with EmbeddedLedger(folder / "ledger.sqlite") as ledger:
    for event in pickle.loads((folder / "events").read_bytes()):
        ledger.record(event)
    Outbox(ledger, remote).deliver()
"""
BOUNDARIES = 16
"""Two events, and for each four steps, each with a moment before it and one after it."""


@pytest.mark.parametrize("where", ["double", "tigerbeetle"])
@pytest.mark.parametrize("fatal", range(BOUNDARIES))
def test_whatever_it_was_killed_in_each_event_is_there_once(
    request: pytest.FixtureRequest, tmp_path: Path, where: str, fatal: int
) -> None:
    addresses = addresses_of(request, where)
    repository = uuid4()
    events = two_events(repository)
    (tmp_path / "events").write_bytes(pickle.dumps(events))
    assert run_child(tmp_path, fatal, addresses) == -signal.SIGKILL

    remote = Remote(addresses=addresses or ("127.0.0.1:3000",), timeout=timedelta(seconds=30))
    with EmbeddedLedger(tmp_path / "ledger.sqlite") as ledger:
        for one in events:
            ledger.record(one)
        assert Outbox(ledger, remote).deliver().unavailable is None
        entries = [entry.transfer for entry in ledger.entries()]
        states = [delivery.state for _, delivery in ledger.deliveries(remote.name).states()]
        assert ledger.verify_chain() == 2
    receiver = TigerBeetle(remote.addresses, 0, each(30))
    found = [posted.transfer for posted in receiver.transfers(repository_account_id(repository).int)]
    balance = receiver.balance(repository_account_id(repository).int)
    receiver.close()
    assert found == entries
    assert [one.id for one in entries] == [event_id(one.kind, one.backup_id).int for one in events]
    assert states == ["delivered", "delivered"]
    assert balance == (3, 10)


@pytest.mark.parametrize("where", ["double", "tigerbeetle"])
def test_these_are_all_boundaries(request: pytest.FixtureRequest, tmp_path: Path, where: str) -> None:
    addresses = addresses_of(request, where)
    (tmp_path / "events").write_bytes(pickle.dumps(two_events(uuid4())))
    assert run_child(tmp_path, BOUNDARIES, addresses) == 0


def two_events(repository: UUID) -> list[Event]:
    backup = uuid4()
    return [
        event(10, backup_id=backup, repository=repository),
        event(3, EventKind.PRUNED, backup_id=backup, repository=repository),
    ]


def addresses_of(request: pytest.FixtureRequest, where: str) -> tuple[str, ...]:
    if where == "tigerbeetle":
        addresses: tuple[str, ...] = request.getfixturevalue("tigerbeetle_addresses")
        return addresses
    cluster: FakeCluster = request.getfixturevalue("fake_cluster")
    assert cluster
    return ()


def run_child(folder: Path, fatal: int, addresses: tuple[str, ...]) -> int:
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", CHILD, str(folder), str(fatal), ",".join(addresses)]
    done = subprocess.run(command, env=environment, timeout=120, check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode
