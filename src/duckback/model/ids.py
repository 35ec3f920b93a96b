"""Ids of backups and runs: UUIDv7 (RFC 9562), so that they sort by time and name their own moment."""

from datetime import UTC, datetime
from uuid import UUID

from uuid6 import uuid7

_BELOW_TIME = (1 << 80) - 1


def new_id(moment: datetime) -> UUID:
    """A fresh id of the given moment (aware), to the millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | uuid7().int & _BELOW_TIME)


def time_of(backup_id: UUID) -> datetime:
    """The millisecond, in UTC, at which a UUIDv7 was made (RFC 9562, section 5.7: its first 48 bits).

    Raises:
        ValueError: the id is not of version 7.
    """
    if backup_id.version != 7:  # noqa: PLR2004 -- the version is in the name
        raise ValueError(f"{backup_id} is not a UUIDv7")
    return datetime.fromtimestamp((backup_id.int >> 80) / 1000, UTC)
