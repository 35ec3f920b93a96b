"""Events as transfers: which bit holds what.

`user_data_128`, from its highest bit (the fields and codes are those of "Ledger" in the design):

    bits  120..127     112..119  104..111     96..103     88..95  72..87          0..71
          backup type  scope     compression  encryption  status  retention days  first 72 bits of the digest

`user_data_32` holds the digest's next 32 bits. The digest is the manifest's SHA-256, big-endian, or 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID, uuid5

from duckback.errors import LedgerError
from duckback.ledger.base import Transfer
from duckback.model.events import Event, EventKind, Scope, database_account_id, event_id, repository_account_id

TRANSFER_CODE: Final = 12
LEDGER: Final = 1
BACKUP_TYPE_DUCKDB: Final = 2
COMPRESSION_NONE: Final = 0  # none beyond Parquet's own
ENCRYPTION_SERVER_SIDE: Final = 1  # none, or the store's

MAX_ATTEMPTS: Final = 10
"""Ids that one event may have."""

_SCOPES: Final[dict[Scope, int]] = {"full": 1, "incremental": 2}
_STATUSES: Final[dict[EventKind, int]] = {
    EventKind.STARTED: 1,
    EventKind.COMPLETED: 2,
    EventKind.FAILED: 3,
    EventKind.RECOVERY: 4,
    EventKind.VERIFICATION: 5,
    EventKind.PRUNED: 6,
}
_SCOPE_OF: Final = {code: scope for scope, code in _SCOPES.items()}
_KIND_OF: Final = {code: kind for kind, code in _STATUSES.items()}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHA256_BITS: Final = 256
_HIGH_BITS: Final = 72
_LOW_BITS: Final = 32

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class UserData:
    """What a transfer's user data says.

    Attributes:
        backup_type: 2, DuckDB.
        scope: The backup's scope.
        compression: 0, none beyond Parquet's own.
        encryption: 1, none or the store's.
        kind: The event's kind, from the status.
        retention_days: Days to keep the backup.
        manifest_prefix: First 104 bits of the manifest's SHA-256, 26 hex digits; zeros where there is none.
    """

    backup_type: int
    scope: Scope
    compression: int
    encryption: int
    kind: EventKind
    retention_days: int
    manifest_prefix: str


def transfer_of(event: Event, ledger: int = LEDGER) -> Transfer:
    """The transfer that records an event; the same event gives the same transfer.

    A pruned event debits the repository and credits the database; every other one is the reverse of that.

    Args:
        event: What happened.
        ledger: Ledger number, 1 to 2**32 - 1.

    Raises:
        LedgerError: A field does not fit its bits.
    """
    debit = database_account_id(event.repository_id, event.database).int
    credit = repository_account_id(event.repository_id).int
    if event.kind is EventKind.PRUNED:
        debit, credit = credit, debit
    high, low = _digest_parts(event.manifest_sha256)
    return Transfer(
        id=event_id(event.kind, event.backup_id, event.run_id).int,
        debit_account_id=debit,
        credit_account_id=credit,
        amount=_fit("amount", event.amount, 128),
        user_data_128=_pack(event, high),
        user_data_64=_fit("start", (event.started_at - _EPOCH) // timedelta(seconds=1), 64),
        user_data_32=low,
        ledger=_fit("ledger", ledger, 32, least=1),
        code=TRANSFER_CODE,
    )


def ids_of(event: int) -> Iterator[int]:
    """The ids under which an event may be posted, in the order in which they are tried.

    Its own; then, for a ledger that has burned it, uuid5(its own, attempt) for the attempts 1 to 9, in decimal.
    """
    yield event
    yield from (uuid5(UUID(int=event), str(attempt)).int for attempt in range(1, MAX_ATTEMPTS))


def decode_user_data(user_data_128: int, user_data_32: int) -> UserData:
    """The fields that `transfer_of` packed.

    Raises:
        LedgerError: A number is too wide, or holds a code that this version does not know.
    """
    packed = _fit("user_data_128", user_data_128, 128)
    low = _fit("user_data_32", user_data_32, _LOW_BITS)
    digest = (packed % 2**_HIGH_BITS) << _LOW_BITS | low
    return UserData(
        backup_type=_known("backup type", _byte(packed, 120), {BACKUP_TYPE_DUCKDB: BACKUP_TYPE_DUCKDB}),
        scope=_known("scope", _byte(packed, 112), _SCOPE_OF),
        compression=_known("compression", _byte(packed, 104), {COMPRESSION_NONE: COMPRESSION_NONE}),
        encryption=_known("encryption", _byte(packed, 96), {ENCRYPTION_SERVER_SIDE: ENCRYPTION_SERVER_SIDE}),
        kind=_known("status", _byte(packed, 88), _KIND_OF),
        retention_days=packed >> 72 & 0xFFFF,
        manifest_prefix=f"{digest:026x}",
    )


def manifest_prefix(transfer: Transfer) -> str:
    """The first 26 hex digits of the SHA-256 of the manifest that a transfer records.

    Raises:
        LedgerError: as of `decode_user_data`.
    """
    return decode_user_data(transfer.user_data_128, transfer.user_data_32).manifest_prefix


def _pack(event: Event, digest_high: int) -> int:
    return (
        BACKUP_TYPE_DUCKDB << 120
        | _SCOPES[event.scope] << 112
        | COMPRESSION_NONE << 104
        | ENCRYPTION_SERVER_SIDE << 96
        | _STATUSES[event.kind] << 88
        | _fit("retention days", event.retention_days, 16) << 72
        | digest_high
    )


def _digest_parts(sha256: str | None) -> tuple[int, int]:
    digest = int(sha256 or "0", 16)
    high = digest >> (_SHA256_BITS - _HIGH_BITS)
    low = digest >> (_SHA256_BITS - _HIGH_BITS - _LOW_BITS) & 0xFFFF_FFFF
    return high, low


def _byte(packed: int, shift: int) -> int:
    return packed >> shift & 0xFF


def _fit(name: str, value: int, bits: int, *, least: int = 0) -> int:
    if not least <= value < 2**bits:
        raise LedgerError(f"{name} {value} does not fit a ledger: it takes {least} to 2**{bits} - 1")
    return value


def _known(name: str, code: int, meanings: dict[int, _T]) -> _T:
    if code not in meanings:
        raise LedgerError(f"a transfer has the unknown {name} {code}", hint="A newer Duckback may have written it.")
    return meanings[code]
