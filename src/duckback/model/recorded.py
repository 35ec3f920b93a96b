"""What a ledger knows of the backups of one database, as a witness of what the repository must hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True)
class Recorded:
    """A backup as a ledger has recorded it.

    Attributes:
        state: how far it came.
        started_at: of the backup, UTC, to the second.
        manifest: the first hex digits of its manifest's SHA-256; None where it was not committed.
    """

    state: Literal["started", "committed", "pruned"]
    started_at: datetime
    manifest: str | None = None


@dataclass(frozen=True)
class Known:
    """All that one ledger knows of a database in a repository.

    Attributes:
        ledger: its identity, as manifests name the ledger of their events; None: nobody is to be believed.
        backups: by id.
    """

    ledger: str | None
    backups: Mapping[UUID, Recorded]

    @property
    def committed(self) -> dict[UUID, Recorded]:
        """Those that must be there."""
        return {backup_id: one for backup_id, one in self.backups.items() if one.state == "committed"}


NOTHING = Known(None, {})
"""What is known without a ledger."""

Records = Callable[[], Known]
"""Asks the ledger."""
