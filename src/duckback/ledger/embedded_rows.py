"""Rows of the embedded ledger: what an entry looks like in SQLite, and the hash that chains it to the one before."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Final

from duckback.errors import LedgerError
from duckback.ledger.base import GENESIS, Entry, Transfer
from duckback.ledger.codec import LEDGER, transfer_of
from duckback.model.events import Event, EventKind

Value = int | float | str | bytes | None
Row = dict[str, Value]

# SQLite's integers have 63 bits and a sign: what is wider is kept as 16 big-endian bytes.
_WIDE: Final = ("id", "debit_account_id", "credit_account_id", "amount", "user_data_128")
_NARROW: Final = ("user_data_64", "user_data_32", "ledger", "code")
CONTENT: Final = (*_WIDE, *_NARROW, "kind", "database", "details")
COMPARED: Final = tuple(name for name in CONTENT if name != "ledger")  # its number is a setting, and may change
COLUMNS: Final = ("seq", *CONTENT, "recorded_at", "prev_hash", "hash")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HINT: Final = "Verify the ledger's chain; no backup needs the ledger to be restored."


def wide(value: int) -> bytes:
    """A 128-bit number as a column holds it."""
    return value.to_bytes(16, "big")


def from_wide(value: Value) -> int:
    """The number in a column of 16 bytes.

    Raises:
        LedgerError: The column holds something else.
    """
    if not isinstance(value, bytes):
        raise LedgerError(f"a number in the ledger is not one: {value!r}", hint=_HINT)
    return int.from_bytes(value, "big")


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC.

    Raises:
        ValueError: The time has no zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"the time {moment} has no zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def content_of(event: Event, ledger: int = LEDGER) -> Row:
    """The columns that an event and the ledger's number decide; those of COMPARED, if equal, are the same content.

    Raises:
        LedgerError: A field does not fit its bits.
    """
    numbers = asdict(transfer_of(event, ledger))
    return {
        **{name: wide(numbers[name]) for name in _WIDE},
        **{name: numbers[name] for name in _NARROW},
        "kind": str(event.kind),
        "database": event.database,
        "details": _canonical(dict(event.details)),
    }


def entry_of(row: Row) -> Entry:
    """The entry in a row.

    Raises:
        LedgerError: The row holds what no ledger wrote.
    """
    try:
        numbers = {name: from_wide(row[name]) for name in _WIDE} | {name: int(str(row[name])) for name in _NARROW}
        return Entry(
            transfer=Transfer(**numbers),
            kind=EventKind(str(row["kind"])),
            database=str(row["database"]),
            details=json.loads(str(row["details"])),
            recorded_at=_EPOCH + timedelta(microseconds=int(str(row["recorded_at"]))),
            hash=str(row["hash"]),
        )
    except (LedgerError, ValueError, OverflowError) as error:
        raise LedgerError(f"entry {row['seq']!r} of the ledger is not readable: {error}", hint=_HINT) from error


def row_hash(identity: str, row: Row) -> str:
    """SHA-256, 64 hex digits, of a row's columns but `hash`, and of the ledger's identity, as canonical JSON.

    Canonical: names sorted, no spaces, ASCII with escapes, bytes as {"hex": "…"}. The values are hashed as
    they are stored, so that a row that cannot be decoded is found as well.
    """
    fields = {name: value for name, value in row.items() if name != "hash"}
    return hashlib.sha256(_canonical(fields | {"identity": identity}).encode()).hexdigest()


def check_link(identity: str, previous: Row | None, row: Row) -> None:
    """Check one row by itself and against the one before it (None: it has to be the first).

    Raises:
        LedgerError: A row between the two was removed, or this one was altered or inserted.
    """
    before, prev_hash = (previous["seq"], previous["hash"]) if previous else (0, GENESIS)
    seq, expected = int(str(row["seq"])), int(str(before)) + 1
    if seq < expected:
        raise LedgerError(f"entry {seq} of the ledger was inserted", hint=_HINT)
    if seq > expected:
        raise LedgerError(f"entry {expected} of the ledger was removed", hint=_HINT)
    if row["hash"] != row_hash(identity, row):
        raise LedgerError(f"entry {seq} of the ledger was altered or inserted: its hash is another", hint=_HINT)
    if row["prev_hash"] != prev_hash:
        raise LedgerError(f"entry {seq} of the ledger does not follow the entry before it", hint=_HINT)


def _canonical(value: Mapping[str, object]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_tagged)


def _tagged(value: bytes) -> dict[str, str]:
    return {"hex": value.hex()}  # an object, so that no text of the same digits has the same hash
