"""Ledgers of every kind, new or shared; tests make accounts of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ledgers import Book

from duckback.ledger.base import Receiver
from duckback.ledger.codec import transfer_of
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.limited import each
from duckback.ledger.tigerbeetle import TigerBeetle


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    with EmbeddedLedger(tmp_path / "state" / "ledger.sqlite") as ledger:
        yield ledger


@pytest.fixture(params=["double", "tigerbeetle"])
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    yield from _receiver(request, request.param)


@pytest.fixture(params=["embedded", "double", "tigerbeetle"])
def book(request: pytest.FixtureRequest) -> Iterator[Book]:
    if request.param == "embedded":
        ledger: EmbeddedLedger = request.getfixturevalue("embedded")
        yield Book(ledger, ledger.record)
        return
    for receiver in _receiver(request, request.param):
        yield Book(receiver, lambda event, receiver=receiver: receiver.post(transfer_of(event)))  # type: ignore[misc]


def _receiver(request: pytest.FixtureRequest, kind: str) -> Iterator[Receiver]:
    addresses = ("127.0.0.1:3000",)
    if kind == "double":
        request.getfixturevalue("fake_cluster")
    else:
        addresses = request.getfixturevalue("tigerbeetle_addresses")
    opened = TigerBeetle(addresses, 0, each(30))
    yield opened
    opened.close()
