"""The contract of every ledger: an append-only, double-entry record of backup events."""

from collections.abc import Iterator, Mapping
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
class Entry:
    """A recorded event.

    Attributes:
        transfer: The event as a transfer.
        kind: What happened.
        database: The database's real name.
        details: What the event carried beside its transfer.
        recorded_at: When the ledger took it, aware, in UTC, by the ledger's clock, which may step back.
    """

    transfer: Transfer
    kind: EventKind
    database: str
    details: Mapping[str, str] = field(hash=False)
    recorded_at: datetime


class Ledger(Protocol):
    """An append-only record of events. What was recorded is never changed and never removed.

    Several processes may use one ledger at the same time; one object belongs to the thread that made it.
    Every method raises LedgerError where the ledger cannot be read or written, or after `close`.
    """

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

    def balance(self, account_id: int) -> tuple[int, int]:
        """The bytes debited to and credited to an account so far; (0, 0) for an unknown one."""
        ...

    def head(self) -> str:
        """The hash of the newest entry, 64 hex digits, which depends on all before it; GENESIS when empty."""
        ...

    def identity(self) -> str:
        """The id of this ledger, a UUID made when it was created."""
        ...

    def close(self) -> None:
        """Let go of the ledger; may be repeated."""
        ...
