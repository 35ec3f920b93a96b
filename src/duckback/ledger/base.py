"""The contracts of ledgers: append-only, double-entry records of backup events.

Three, because TigerBeetle's transfers have no room for texts: what a database is called, why a run failed.

    Transfers        what every ledger shows: transfers, and the balances that they make
    ├── Ledger       takes events and keeps their texts too: the embedded one, in which every event is recorded first
    └── Receiver     takes transfers: TigerBeetle, to which the outbox delivers them from there
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from duckback.model.events import Event, EventKind

GENESIS = "0" * 64
"""The head of an empty ledger."""


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One double-entry transfer, in the fields and widths of TigerBeetle's.

    Attributes:
        id: 128 bits; names the event, and is unique in the ledger.
        debit_account_id: 128 bits; never equal to `credit_account_id`.
        credit_account_id: 128 bits.
        amount: Bytes moved, 128 bits.
        user_data_128: Packed fields; `codec.decode_user_data` reads them.
        user_data_64: Start, seconds since 1970-01-01 UTC.
        user_data_32: Bits 72 to 103 of the manifest's SHA-256, counted from its first.
        ledger: Ledger number, 32 bits, not 0.
        code: Transfer code, 16 bits.
    """

    id: int
    debit_account_id: int
    credit_account_id: int
    amount: int
    user_data_128: int
    user_data_64: int
    user_data_32: int
    ledger: int
    code: int


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A transfer that is in a ledger.

    Attributes:
        transfer: As it was posted.
        recorded_at: When the ledger took it, aware, in UTC, by the ledger's clock, which may step back.
    """

    transfer: Transfer
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Entry(Posted):
    """A recorded event, with what its transfer has no room for.

    Attributes:
        kind: What happened.
        database: The database's real name.
        details: What the event carried beside its transfer.
        hash: Of this entry and, through the one before, of all before it; 64 hex digits.
    """

    kind: EventKind
    database: str
    details: Mapping[str, str] = field(hash=False)
    hash: str


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What had been debited to and credited to an account, in bytes, after one of its transfers."""

    debits: int
    credits: int
    recorded_at: datetime


Allowance = Callable[[], float]
"""The seconds that the next call to a server may take, asked before each; 0 and less: none at all."""


class Transfers(Protocol):
    """What every ledger shows. What was recorded is never changed and never removed.

    Several processes may use one ledger at the same time; one object belongs to the thread that made it.
    Every method raises LedgerError where the ledger cannot be read or written, or after `close`; a ledger behind a
    network raises LedgerUnavailable, which is one, after at most the time that it was given.
    """

    def entry(self, transfer_id: int) -> Posted | None:
        """The transfer of that id, or None."""
        ...

    def transfers(
        self, account_id: int, *, code: int | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Posted]:
        """Transfers that debit or credit an account, in the order in which the ledger took them.

        Args:
            account_id: The account; one that is unknown has none.
            code: Only those with this code.
            since: Only those recorded at or after this aware time.
            until: Only those recorded before this aware time.

        Raises:
            ValueError: `since` or `until` has no time zone.
        """
        ...

    def balance(self, account_id: int) -> tuple[int, int]:
        """The bytes debited to and credited to an account so far; (0, 0) for an unknown one."""
        ...

    def balances(self, account_id: int) -> Iterator[Balance]:
        """The account's balance after each of its transfers, in their order."""
        ...

    def close(self) -> None:
        """Let go of the ledger; may be repeated."""
        ...


class Receiver(Transfers, Protocol):
    """A ledger that takes transfers."""

    def post(self, transfer: Transfer) -> Posted:
        """Post a transfer, durably before this returns; once, however often it is repeated. Makes its accounts first.

        Returns:
            The transfer: the original one where it was posted before.

        Raises:
            IdBurned: The id failed once before, for a reason that may be gone, and can never be used again.
            TransferRefused: It is refused for good: its id is taken by another one, or it contradicts itself.
            LedgerUnavailable: No answer within the time allowed. Whether it was posted is not known; ask again.
        """
        ...


class Ledger(Transfers, Protocol):
    """A ledger that takes events."""

    def record(self, event: Event) -> Entry:
        """Append an event, durably before this returns; once, however often it is repeated.

        Returns:
            The entry: the original one, unchanged, where the same event was recorded before.

        Raises:
            LedgerError: Its id is taken by other content (transfer, database or details), and the ledger
                is unchanged; or a field does not fit its bits.
        """
        ...

    def entries(
        self,
        *,
        repository_id: UUID | None = None,
        database: str | None = None,
        kind: EventKind | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Entry]:
        """Entries in the order in which they were recorded, as of the first one taken.

        Args:
            repository_id: Only those of this repository.
            database: Only those of databases of this name, whatever the repository.
            kind: Only those of this kind.
            since: Only those recorded at or after this aware time.
            until: Only those recorded before this aware time.

        Raises:
            ValueError: `since` or `until` has no time zone.
        """
        ...

    def entry(self, transfer_id: int) -> Entry | None:
        """The entry of that id, or None."""
        ...

    def head(self) -> str:
        """The hash of the newest entry, 64 hex digits, which depends on all before it; GENESIS when empty."""
        ...

    def identity(self) -> str:
        """The id of this ledger, a UUID made when it was created."""
        ...
