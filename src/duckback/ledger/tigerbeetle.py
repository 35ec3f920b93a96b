"""TigerBeetle as a receiver, through its official client; the only module that imports it.

The client has no timeout: what it asks of a server that is down, busy to its limit of connections or of another
cluster waits for ever, without an error. So every call has its time, and a client that used it up is closed, which
ends the call; the next call makes a new one. Whether the call took effect is asked by repeating it: the same transfer
again is no other one.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import tigerbeetle as tb
from tigerbeetle.client import InitError

from duckback.errors import IdBurned, LedgerError, LedgerUnavailable, TransferRefused
from duckback.ledger.base import Allowance, Balance, Posted, Transfer
from duckback.ledger.codec import TRANSFER_CODE
from duckback.ledger.limited import OutOfTime, limited

T = TypeVar("T")

PAGE: Final = 250
"""Transfers asked for at once: what a server for development takes too."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BOTH_SIDES: Final = tb.AccountFilterFlags.DEBITS | tb.AccountFilterFlags.CREDITS
_SECONDS_BETWEEN_EQUAL_WORDS: Final = 60.0
_WORDS_COMPARED: Final = 24

_log = logging.getLogger("tigerbeetle")
_FIELDS: Final = (
    "id",
    "debit_account_id",
    "credit_account_id",
    "amount",
    "user_data_128",
    "user_data_64",
    "user_data_32",
    "ledger",
    "code",
)


class _Seldom(logging.Filter):
    """Lets through what begins alike once a minute: a client that cannot connect says so many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        beginning, now = str(record.msg)[:_WORDS_COMPARED], time.monotonic()
        is_new = now - self._said.get(beginning, -_SECONDS_BETWEEN_EQUAL_WORDS) >= _SECONDS_BETWEEN_EQUAL_WORDS
        if is_new:
            self._said[beginning] = now
        return is_new


# A library is silent until its user asks: without a handler of its own, warnings would go to standard error.
_log.addHandler(logging.NullHandler())
_log.addFilter(_Seldom())


class TigerBeetle:
    """A `Receiver` in a TigerBeetle cluster.

    Args:
        addresses: Of its replicas, as IP address and port.
        cluster_id: 128 bits.
        allowance: The time of each call.
    """

    def __init__(self, addresses: Sequence[str], cluster_id: int, allowance: Allowance) -> None:
        self._addresses = ",".join(addresses)
        self._cluster_id = cluster_id
        self._allowance = allowance
        self._client: tb.ClientSync | None = None
        self._owner = os.getpid()
        self._is_closed = False
        self._known_accounts: set[tuple[int, int]] = set()

    def close(self) -> None:
        """See `Transfers.close`."""
        self._is_closed = True
        self._drop()

    def post(self, transfer: Transfer) -> Posted:
        """See `Receiver.post`."""
        self._make_accounts(transfer)
        ours = tb.Transfer(**{name: getattr(transfer, name) for name in _FIELDS})
        result = self._call(lambda client: client.create_transfers([ours]))[0]
        match result.status:
            case tb.CreateTransferStatus.CREATED | tb.CreateTransferStatus.EXISTS:
                return Posted(transfer=transfer, recorded_at=_moment(result.timestamp))
            case tb.CreateTransferStatus.ID_ALREADY_FAILED:
                raise IdBurned(f"TigerBeetle has burned the id {transfer.id}: it failed once before")
            case status:
                raise _refused(f"transfer {transfer.id}", status.name)

    def entry(self, transfer_id: int) -> Posted | None:
        """See `Transfers.entry`."""
        found = self._call(lambda client: client.lookup_transfers([transfer_id]))
        return _posted(found[0]) if found else None

    def transfers(
        self, account_id: int, *, code: int | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Posted]:
        """See `Transfers.transfers`."""
        first = 1 if since is None else max(_nanoseconds(since), 1)
        last = 0 if until is None else _nanoseconds(until) - 1  # 0 is no limit
        if until is not None and last < first:
            return iter(())
        return map(_posted, self._pages("get_account_transfers", account_id, code or 0, first, last))

    def balance(self, account_id: int) -> tuple[int, int]:
        """See `Transfers.balance`."""
        found = self._call(lambda client: client.lookup_accounts([account_id]))
        return (found[0].debits_posted, found[0].credits_posted) if found else (0, 0)

    def balances(self, account_id: int) -> Iterator[Balance]:
        """See `Transfers.balances`."""
        for found in self._pages("get_account_balances", account_id, 0, 1, 0):
            yield Balance(
                debits=found.debits_posted, credits=found.credits_posted, recorded_at=_moment(found.timestamp)
            )

    def _pages(self, question: str, account_id: int, code: int, first: int, last: int) -> Iterator[Any]:
        def page(since: int) -> Any:
            wanted = _filter(account_id, code, since, last)
            return self._call(lambda client: getattr(client, question)(wanted))

        while found := page(first):
            yield from found
            first = found[-1].timestamp + 1

    def _make_accounts(self, transfer: Transfer) -> None:
        # A transfer whose account is missing fails, and its id with it, for ever.
        ids = (transfer.debit_account_id, transfer.credit_account_id)
        missing = [one for one in ids if (one, transfer.ledger) not in self._known_accounts]
        accounts = [
            tb.Account(id=one, ledger=transfer.ledger, code=TRANSFER_CODE, flags=tb.AccountFlags.HISTORY)
            for one in missing
        ]
        for result in self._call(lambda client: client.create_accounts(accounts)) if accounts else ():
            if result.status not in {tb.CreateAccountStatus.CREATED, tb.CreateAccountStatus.EXISTS}:
                raise _refused(f"an account of transfer {transfer.id}", result.status.name)
        self._known_accounts.update((one, transfer.ledger) for one in missing)

    def _call(self, ask: Callable[[tb.ClientSync], T]) -> T:
        try:
            return self._ask(ask)
        except tb.ClientEvictedError:  # it had its session, and lost it to a newer one: once more, with another
            self._drop()
        try:
            return self._ask(ask)
        except tb.ClientEvictedError as error:
            self._drop()
            raise LedgerUnavailable(
                f"TigerBeetle at {self._addresses} ends every session", hint="It has more clients than it takes."
            ) from error

    def _ask(self, ask: Callable[[tb.ClientSync], T]) -> T:
        if self._is_closed:
            raise LedgerError("the ledger is closed")
        seconds = self._allowance()
        if seconds <= 0:
            raise self._silent()
        client = self._connected()
        try:
            return limited(lambda: ask(client), seconds, self._drop)
        except tb.ClientEvictedError:
            raise
        except OutOfTime:
            raise self._silent() from None
        except ValueError as error:
            raise TransferRefused(f"TigerBeetle has no room for a field: {error}") from error
        except (tb.ClientReleaseTooHighError, tb.ClientReleaseTooLowError) as error:
            self._drop()
            raise LedgerUnavailable(
                f"TigerBeetle at {self._addresses} does not speak to this release of its client: {error}",
                hint="The client (Python package tigerbeetle) may be older than the cluster, never newer.",
            ) from error
        except Exception as error:  # whatever else a client raises: what waits for it stays, and a backup goes on
            self._drop()
            raise LedgerUnavailable(f"TigerBeetle's client failed at {self._addresses}: {error}") from error

    def _connected(self) -> tb.ClientSync:
        if self._owner != os.getpid():
            self._client = None  # the parent's: to use it here, or to close it, aborts the parent
            self._owner = os.getpid()
        if self._client is None:
            try:
                self._client = tb.ClientSync(self._cluster_id, self._addresses)
            except InitError as error:
                raise LedgerUnavailable(
                    f"TigerBeetle's client does not take the addresses {self._addresses}: {error}",
                    hint="Give IP addresses with ports, such as 127.0.0.1:3000.",
                ) from error
        return self._client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None and self._owner == os.getpid():
            _close(client)

    def _silent(self) -> LedgerUnavailable:
        return LedgerUnavailable(
            f"TigerBeetle at {self._addresses} (cluster {self._cluster_id}) did not answer in time",
            hint="Is it running, is that its cluster id, and has it connections left? Its log says.",
        )


def _close(client: tb.ClientSync) -> None:
    try:
        client.close()
    except AssertionError:
        # The call that this close cut off had not left yet (a defect of the client, which is shut all the same); it
        # stays in the client's list of all clients then, a few hundred bytes.
        _log.debug("closed with a call in flight")


def _filter(account_id: int, code: int, first: int, last: int) -> tb.AccountFilter:
    return tb.AccountFilter(
        account_id=account_id,
        user_data_128=0,
        user_data_64=0,
        user_data_32=0,
        code=code,
        timestamp_min=first,
        timestamp_max=last,
        limit=PAGE,
        flags=_BOTH_SIDES,
    )


def _posted(found: tb.Transfer) -> Posted:
    fields = {name: getattr(found, name) for name in _FIELDS}
    return Posted(transfer=Transfer(**fields), recorded_at=_moment(found.timestamp))


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1_000)


def _nanoseconds(moment: datetime) -> int:
    if moment.utcoffset() is None:
        raise ValueError(f"the time {moment} has no zone")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def _refused(what: str, status: str) -> TransferRefused:
    return TransferRefused(
        f"TigerBeetle refuses {what}: {status.lower().replace('_', ' ')}",
        hint="What is there stays; find out who wrote it. `duckback ledger sync` tries again.",
    )
