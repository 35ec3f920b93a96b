"""What a ledger knows of the backups that a repository must hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Recorded:
    """A committed backup as a ledger has recorded it.

    Attributes:
        started_at: of the backup, UTC, to the second.
        manifest: the first hex digits of its manifest's SHA-256.
    """

    started_at: datetime
    manifest: str


Records = Callable[[], Mapping[UUID, Recorded]]
"""What a ledger knows now: the committed backups of one database and repository that it has not seen pruned."""
