"""What became of the embedded ledger's entries at a receiver: waiting, delivered or parked, in the same SQLite file."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from duckback.ledger.base import Entry
from duckback.ledger.embedded_file import ledger_errors
from duckback.ledger.embedded_rows import COLUMNS, entry_of, from_wide, wide

State = Literal["waiting", "delivered", "parked"]

_FROM: Final = "FROM entry LEFT JOIN delivery ON delivery.seq = entry.seq AND delivery.receiver = ?"
_NEXT: Final = f"""
SELECT {", ".join(f"entry.{name}" for name in COLUMNS)} {_FROM}
WHERE entry.seq > ? AND delivery.transfer_id IS NULL AND (delivery.refusal IS NULL OR ?) ORDER BY entry.seq LIMIT 1
"""
_PUT: Final = """
INSERT INTO delivery (receiver, seq, transfer_id, refusal) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET transfer_id = excluded.transfer_id, refusal = excluded.refusal WHERE transfer_id IS NULL
"""
_BACKLOG: Final = f"""
SELECT count(*) FILTER (WHERE delivery.refusal IS NULL), count(*) FILTER (WHERE delivery.refusal IS NOT NULL),
    min(recorded_at) FILTER (WHERE delivery.refusal IS NULL)
{_FROM} WHERE delivery.transfer_id IS NULL
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Delivery:
    """Where an entry stands: the id that it has at the receiver if delivered, the receiver's reason if parked."""

    state: State
    transfer_id: int | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class Backlog:
    """What a receiver does not hold yet.

    Attributes:
        waiting: Entries that the next attempt delivers.
        parked: Entries that were refused.
        oldest: When the oldest of those that wait was recorded, in UTC; None where none does.
    """

    waiting: int = 0
    parked: int = 0
    oldest: datetime | None = None


class Deliveries:
    """The state of delivery to one receiver; `EmbeddedLedger.deliveries` makes it.

    Every method raises LedgerError where the file cannot be read or written.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, receiver: str) -> None:
        self._connection = connection
        self._path = path
        self._receiver = receiver

    def next(self, after: int = 0, *, parked: bool = False) -> tuple[int, Entry] | None:
        """The first entry after that sequence number which is not delivered, with its number; None if there is none.

        Args:
            after: A sequence number; the ledger's begin with 1.
            parked: Whether what is parked has its turn again.
        """
        with ledger_errors(self._path):
            row = self._connection.execute(_NEXT, (self._receiver, after, parked)).fetchone()
        return None if row is None else (row[0], entry_of(dict(zip(COLUMNS, row, strict=True))))

    def mark_delivered(self, seq: int, transfer_id: int) -> None:
        """Note, durably, that the receiver holds an entry, and under which id."""
        self._put(seq, wide(transfer_id), None)

    def park(self, seq: int, refusal: str) -> None:
        """Note, durably, that the receiver refused an entry; one that is delivered stays so."""
        self._put(seq, None, refusal)

    def states(self) -> Iterator[tuple[int, Delivery]]:
        """Every entry's id, with where it stands."""
        with ledger_errors(self._path):
            rows = self._connection.execute(
                f"SELECT id, transfer_id, refusal {_FROM} ORDER BY entry.seq", (self._receiver,)
            ).fetchall()
        return ((from_wide(entry_id), _delivery(transfer_id, refusal)) for entry_id, transfer_id, refusal in rows)

    def last(self) -> int:
        """The highest sequence number that was ever delivered or parked, 0 before the first."""
        with ledger_errors(self._path):
            found = self._connection.execute(
                "SELECT coalesce(max(seq), 0) FROM delivery WHERE receiver = ?", (self._receiver,)
            ).fetchone()
        return int(found[0])

    def backlog(self) -> Backlog:
        """How much is not delivered."""
        with ledger_errors(self._path):
            waiting, parked, oldest = self._connection.execute(_BACKLOG, (self._receiver,)).fetchone()
        return Backlog(waiting, parked, None if oldest is None else _EPOCH + timedelta(microseconds=oldest))

    def _put(self, seq: int, transfer_id: bytes | None, refusal: str | None) -> None:
        with ledger_errors(self._path):
            self._connection.execute(_PUT, (self._receiver, seq, transfer_id, refusal))


def _delivery(transfer_id: bytes | None, refusal: str | None) -> Delivery:
    if transfer_id is not None:
        return Delivery("delivered", transfer_id=from_wide(transfer_id))
    return Delivery("waiting") if refusal is None else Delivery("parked", refusal=refusal)
