"""What a ledger that takes transfers promises: TigerBeetle, and the double that stands in for it."""

from dataclasses import replace
from uuid import uuid4

import pytest
import tigerbeetle as tb
from support.ledgers import event

from duckback.errors import IdBurned, TransferRefused
from duckback.ledger.base import Receiver, Transfer
from duckback.ledger.codec import transfer_of
from duckback.ledger.tigerbeetle import TigerBeetle


@pytest.fixture
def transfer() -> Transfer:
    return transfer_of(event(7, repository=uuid4()))


def test_posting_again_returns_the_first(receiver: Receiver, transfer: Transfer) -> None:
    first = receiver.post(transfer)
    assert receiver.post(transfer) == first
    assert receiver.entry(transfer.id) == first


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": 8}, "exists with different amount"),
        ({"user_data_128": 1}, "exists with different user data 128"),
        ({"user_data_64": 1}, "exists with different user data 64"),
        ({"user_data_32": 1}, "exists with different user data 32"),
        ({"code": 13}, "exists with different code"),
    ],
)
def test_the_reason_of_a_refusal_names_the_field(
    receiver: Receiver, transfer: Transfer, change: dict[str, int], reason: str
) -> None:
    receiver.post(transfer)
    with pytest.raises(TransferRefused, match=reason):
        receiver.post(replace(transfer, **change))


def test_equal_accounts_are_refused(receiver: Receiver, transfer: Transfer) -> None:
    with pytest.raises(TransferRefused, match="accounts must be different"):
        receiver.post(replace(transfer, credit_account_id=transfer.debit_account_id))


def test_another_ledger_number_for_the_same_account_is_refused(receiver: Receiver, transfer: Transfer) -> None:
    receiver.post(transfer)
    with pytest.raises(TransferRefused, match=r"account .* exists with different ledger"):
        receiver.post(replace(transfer, id=uuid4().int, ledger=7))


def test_an_id_that_failed_for_want_of_an_account_is_burned(receiver: Receiver, transfer: Transfer) -> None:
    assert isinstance(receiver, TigerBeetle)
    fields = {name: getattr(transfer, name) for name in ("id", "debit_account_id", "credit_account_id", "amount")}
    failing = tb.Transfer(**fields, ledger=1, code=12)
    result = receiver._call(lambda client: client.create_transfers([failing]))[0]
    assert result.status is tb.CreateTransferStatus.DEBIT_ACCOUNT_NOT_FOUND
    with pytest.raises(IdBurned, match="failed once before"):
        receiver.post(transfer)
    assert receiver.entry(transfer.id) is None
