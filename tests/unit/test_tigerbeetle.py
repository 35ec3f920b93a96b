"""The driver where TigerBeetle misbehaves; what a sound one does is in the contract suite."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import tigerbeetle as tb
from support.fake_tigerbeetle import FakeCluster
from support.ledgers import event

from duckback.errors import LedgerError, LedgerUnavailable, TransferRefused
from duckback.ledger.base import Transfer
from duckback.ledger.codec import transfer_of
from duckback.ledger.limited import each
from duckback.ledger.remote import Remote
from duckback.ledger.tigerbeetle import TigerBeetle

NOBODY = ("127.0.0.1:9",)

# The real client, nobody at that address, and an exit that does not wait for it.
DOWN = """
import time
from duckback.errors import LedgerUnavailable
from duckback.ledger.limited import each
from duckback.ledger.tigerbeetle import TigerBeetle
receiver = TigerBeetle(["127.0.0.1:9"], 0, each(0.3))
for _ in range(3):
    started = time.monotonic()
    try:
        receiver.entry(1)
    except LedgerUnavailable:
        print(time.monotonic() - started)
"""


INTERRUPTED = """
import os, signal, threading
from duckback.ledger.limited import each
from duckback.ledger.tigerbeetle import TigerBeetle
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    TigerBeetle(["127.0.0.1:9"], 0, each(60)).entry(1)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def receiver(fake_cluster: FakeCluster) -> Iterator[TigerBeetle]:
    opened = TigerBeetle(NOBODY, 0, each(0.3))
    yield opened
    opened.close()


@pytest.fixture
def transfer() -> Transfer:
    return transfer_of(event(7))


def test_the_real_client_without_a_server_is_given_up_in_time_and_does_not_keep_the_process(tmp_path: Path) -> None:
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", DOWN], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    waits = [float(line) for line in done.stdout.split()]
    assert len(waits) == 3
    assert max(waits) < 5
    assert time.monotonic() - started < 30


def test_an_interrupt_ends_a_call_of_the_real_client_at_once_and_in_order() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_a_silent_server_is_unavailable_and_then_is_not(
    receiver: TigerBeetle, fake_cluster: FakeCluster, transfer: Transfer
) -> None:
    fake_cluster.silent = True
    with pytest.raises(LedgerUnavailable, match=r"127.0.0.1:9 .*did not answer in time") as caught:
        receiver.post(transfer)
    assert caught.value.retryable
    assert "running" in caught.value.hint
    fake_cluster.silent = False
    assert receiver.post(transfer).transfer == transfer


def test_time_that_is_used_up_asks_nothing(fake_cluster: FakeCluster, transfer: Transfer) -> None:
    with pytest.raises(LedgerUnavailable):
        TigerBeetle(NOBODY, 0, each(0)).post(transfer)
    with fake_cluster.state() as state:
        assert not state.accounts


def test_an_evicted_client_is_replaced_and_the_call_repeated(
    receiver: TigerBeetle, fake_cluster: FakeCluster, transfer: Transfer
) -> None:
    fake_cluster.evictions = 1
    assert receiver.post(transfer).transfer == transfer
    with fake_cluster.state() as state:
        assert list(state.transfers) == [transfer.id]


def test_a_client_that_is_evicted_again_is_an_error(
    receiver: TigerBeetle, fake_cluster: FakeCluster, transfer: Transfer
) -> None:
    fake_cluster.evictions = 2
    with pytest.raises(LedgerUnavailable, match="ends every session"):
        receiver.post(transfer)


@pytest.mark.parametrize("error", [tb.ClientReleaseTooHighError, tb.ClientReleaseTooLowError])
def test_another_release_is_unavailable_and_says_which_may_be_older(
    receiver: TigerBeetle, fake_cluster: FakeCluster, transfer: Transfer, error: type[Exception]
) -> None:
    fake_cluster.refusal = error
    with pytest.raises(LedgerUnavailable, match="does not speak to this release") as caught:
        receiver.post(transfer)
    assert "never newer" in caught.value.hint


def test_whatever_else_the_client_raises_is_unavailable(
    receiver: TigerBeetle, fake_cluster: FakeCluster, transfer: Transfer
) -> None:
    fake_cluster.refusal = RuntimeError
    with pytest.raises(LedgerUnavailable, match="client failed"):
        receiver.post(transfer)
    fake_cluster.refusal = None
    assert receiver.post(transfer).transfer == transfer


def test_a_number_that_is_too_wide_is_refused(receiver: TigerBeetle, fake_cluster: FakeCluster) -> None:
    fake_cluster.refusal = tb.IntegerOverflowError
    with pytest.raises(TransferRefused, match="no room"):
        receiver.entry(2**128)


def test_a_forked_child_leaves_the_client_of_its_parent_alone(
    receiver: TigerBeetle, fake_cluster: FakeCluster, transfer: Transfer
) -> None:
    receiver.post(transfer)
    parents = receiver._client
    receiver._owner = -1  # as a child sees it
    assert receiver.entry(transfer.id) is not None
    assert receiver._client is not parents
    assert receiver._owner == os.getpid()
    assert parents is not None
    assert not parents._closed.is_set()  # type: ignore[attr-defined]  # the double's


def test_closing_in_a_forked_child_leaves_the_client_of_its_parent_alone(
    receiver: TigerBeetle, transfer: Transfer
) -> None:
    receiver.post(transfer)
    parents = receiver._client
    receiver._owner = -1
    receiver.close()
    assert parents is not None
    assert not parents._closed.is_set()  # type: ignore[attr-defined]  # the double's


def test_a_defect_of_the_client_at_its_close_is_no_error(
    receiver: TigerBeetle, transfer: Transfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close(self: object) -> NoReturn:
        raise AssertionError

    receiver.post(transfer)
    monkeypatch.setattr("support.fake_tigerbeetle.FakeClient.close", close)
    receiver.close()
    with pytest.raises(LedgerError, match="closed"):
        receiver.entry(1)


def test_addresses_that_the_client_does_not_take_are_an_error(fake_cluster: FakeCluster) -> None:
    with pytest.raises(LedgerUnavailable, match="addresses localhost:3000"):
        TigerBeetle(["localhost:3000"], 0, each(1)).entry(1)


def test_a_client_that_is_not_installed_is_unavailable_and_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tigerbeetle", None)
    monkeypatch.delitem(sys.modules, "duckback.ledger.tigerbeetle")
    with pytest.raises(LedgerUnavailable) as caught:
        Remote(addresses=NOBODY).open(each(1))
    assert "duckback[tigerbeetle]" in caught.value.hint


def test_the_client_s_log_says_the_same_once(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tigerbeetle")
    for number in range(100):
        log.warning(f"message_bus: on_connect: peer {number} reset")  # noqa: G004 - as the client does
    log.warning("another matter")
    assert [record.getMessage() for record in caplog.records][1:] == ["another matter"]
    assert len(caplog.records) == 2
