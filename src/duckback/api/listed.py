"""Backups as the API answers them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from duckback.errors import IntegrityError
from duckback.model.pin import Pin
from duckback.model.proof import Standing
from duckback.model.summary import Summary
from duckback.repository.repository import Committed


@dataclass(frozen=True)
class Listed:
    """A committed backup, its pin, and what proofs and this host's ledger say of it; None: it was never verified."""

    summary: Summary
    pin: Pin | None
    standing: Standing | None

    @property
    def status(self) -> str:
        """`committed`, `verified` or `failed-verification`."""
        if self.standing is None:
            return "committed"
        return "verified" if self.standing.is_good else "failed-verification"

    @property
    def verified_at(self) -> datetime | None:
        """When it was last found good; None: never, or it was found bad since."""
        return self.standing.verdict.at if self.standing is not None and self.standing.is_good else None


@dataclass(frozen=True)
class Damaged:
    """A backup whose manifest is damaged or foreign, and why it cannot be read."""

    backup_id: UUID
    database: str
    error: IntegrityError


@dataclass(frozen=True)
class Listing:
    """The backups that are there, oldest first; and by their ids those of which no more is known."""

    backups: list[Listed]
    damaged: list[Damaged]


@dataclass(frozen=True)
class Shown(Listed):
    """The same, with its manifest."""

    committed: Committed
