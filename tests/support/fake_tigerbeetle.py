"""A double of TigerBeetle's client and cluster, after measured behaviour, for machines without a server.

The contract suite runs against it and against a real one, so that it cannot drift from it unnoticed. Its state is a
file, so that a process that is killed leaves what it had posted.
"""

import fcntl
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tigerbeetle as tb
from tigerbeetle.client import InitError

STATUS = tb.CreateTransferStatus
_COMPARED = {
    "debit_account_id": STATUS.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
    "credit_account_id": STATUS.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
    "amount": STATUS.EXISTS_WITH_DIFFERENT_AMOUNT,
    "user_data_128": STATUS.EXISTS_WITH_DIFFERENT_USER_DATA_128,
    "user_data_64": STATUS.EXISTS_WITH_DIFFERENT_USER_DATA_64,
    "user_data_32": STATUS.EXISTS_WITH_DIFFERENT_USER_DATA_32,
    "ledger": STATUS.EXISTS_WITH_DIFFERENT_LEDGER,
    "code": STATUS.EXISTS_WITH_DIFFERENT_CODE,
}


@dataclass
class _State:
    accounts: dict[int, tb.Account] = field(default_factory=dict)
    transfers: dict[int, tb.Transfer] = field(default_factory=dict)
    burned: set[int] = field(default_factory=set)
    now: int = 0


class FakeCluster:
    """What a cluster holds, and how it behaves.

    Attributes:
        silent: the server is down, full or of another cluster: calls block until their client is closed.
        evictions: how many of the next calls end with the client's eviction.
        refusal: what every call ends with, if anything.
        seconds: that each call takes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.silent = False
        self.evictions = 0
        self.refusal: type[Exception] | None = None
        self.seconds = 0.0

    def client(self, cluster_id: int, addresses: str) -> "FakeClient":
        """In place of `tigerbeetle.ClientSync`."""
        if not addresses or any(letter.isalpha() for letter in addresses):
            raise InitError(addresses)
        return FakeClient(self)

    @contextmanager
    def state(self) -> Iterator[_State]:
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            content = file.read()
            state = pickle.loads(content) if content else _State()
            state.now = max(state.now + 1, time.time_ns())
            yield state
            file.truncate(0)
            file.write(pickle.dumps(state))


class FakeClient:
    """One session; the methods of `tigerbeetle.ClientSync` that the driver uses."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._closed = threading.Event()

    def close(self) -> None:
        self._closed.set()

    def create_accounts(self, accounts: list[tb.Account]) -> list[tb.CreateAccountResult]:
        return self._each(accounts, _create_account)

    def create_transfers(self, transfers: list[tb.Transfer]) -> list[tb.CreateTransferResult]:
        return self._each(transfers, _create_transfer)

    def lookup_accounts(self, ids: list[int]) -> list[tb.Account]:
        with self._served() as state:
            return [_with_balance(state, state.accounts[one]) for one in ids if one in state.accounts]

    def lookup_transfers(self, ids: list[int]) -> list[tb.Transfer]:
        with self._served() as state:
            return [state.transfers[one] for one in ids if one in state.transfers]

    def get_account_transfers(self, wanted: tb.AccountFilter) -> list[tb.Transfer]:
        with self._served() as state:
            return _of_account(state, wanted)[: wanted.limit]

    def get_account_balances(self, wanted: tb.AccountFilter) -> list[tb.AccountBalance]:
        with self._served() as state:
            found, debited, credited = [], 0, 0
            for each in _of_account(state, replace(wanted, timestamp_min=0)):
                debited += each.amount * (each.debit_account_id == wanted.account_id)
                credited += each.amount * (each.credit_account_id == wanted.account_id)
                found.append(tb.AccountBalance(0, debited, 0, credited, each.timestamp))
            return [one for one in found if one.timestamp >= wanted.timestamp_min][: wanted.limit]

    def _each(self, items: list[Any], create: Callable[[_State, Any], Any]) -> list[Any]:
        with self._served() as state:
            return [create(state, item) for item in items]

    @contextmanager
    def _served(self) -> Iterator[_State]:
        if self._closed.wait(None if self._cluster.silent else self._cluster.seconds):
            raise tb.ClientClosedError
        if self._cluster.evictions:
            self._cluster.evictions -= 1
            raise tb.ClientEvictedError
        if self._cluster.refusal is not None:
            raise self._cluster.refusal
        with self._cluster.state() as state:
            yield state


def _create_account(state: _State, account: tb.Account) -> tb.CreateAccountResult:
    there = state.accounts.get(account.id)
    if there is not None:
        same = there.ledger == account.ledger
        status = tb.CreateAccountStatus
        return tb.CreateAccountResult(there.timestamp, status.EXISTS if same else status.EXISTS_WITH_DIFFERENT_LEDGER)
    state.now += 1
    state.accounts[account.id] = replace(account, timestamp=state.now)
    return tb.CreateAccountResult(state.now, tb.CreateAccountStatus.CREATED)


def _create_transfer(state: _State, transfer: tb.Transfer) -> tb.CreateTransferResult:
    state.now += 1
    there = state.transfers.get(transfer.id)
    if there is not None:
        differing = [code for name, code in _COMPARED.items() if getattr(there, name) != getattr(transfer, name)]
        return tb.CreateTransferResult(there.timestamp, differing[0] if differing else STATUS.EXISTS)
    refusal = _refusal(state, transfer)
    if refusal is not None:
        return tb.CreateTransferResult(state.now, refusal)
    state.transfers[transfer.id] = replace(transfer, timestamp=state.now)
    return tb.CreateTransferResult(state.now, STATUS.CREATED)


def _refusal(state: _State, transfer: tb.Transfer) -> tb.CreateTransferStatus | None:
    if transfer.id in state.burned:
        return STATUS.ID_ALREADY_FAILED
    if transfer.debit_account_id == transfer.credit_account_id:
        return STATUS.ACCOUNTS_MUST_BE_DIFFERENT
    if transfer.ledger == 0:
        return STATUS.LEDGER_MUST_NOT_BE_ZERO
    if transfer.code == 0:
        return STATUS.CODE_MUST_NOT_BE_ZERO
    missing = {
        STATUS.DEBIT_ACCOUNT_NOT_FOUND: transfer.debit_account_id,
        STATUS.CREDIT_ACCOUNT_NOT_FOUND: transfer.credit_account_id,
    }
    for status, account in missing.items():
        if account not in state.accounts:
            state.burned.add(transfer.id)
            return status
    return None


def _of_account(state: _State, wanted: tb.AccountFilter) -> list[tb.Transfer]:
    return [
        each
        for each in sorted(state.transfers.values(), key=lambda one: one.timestamp)
        if wanted.account_id in {each.debit_account_id, each.credit_account_id}
        and wanted.code in {0, each.code}
        and wanted.timestamp_min <= each.timestamp <= (wanted.timestamp_max or each.timestamp)
    ]


def _with_balance(state: _State, account: tb.Account) -> tb.Account:
    moved = state.transfers.values()
    return replace(
        account,
        debits_posted=sum(one.amount for one in moved if one.debit_account_id == account.id),
        credits_posted=sum(one.amount for one in moved if one.credit_account_id == account.id),
    )
