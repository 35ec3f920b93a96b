"""Backups as the API answers them."""

from dataclasses import dataclass
from datetime import datetime

from duckback.model.pin import Pin
from duckback.model.summary import Summary
from duckback.repository.repository import Committed


@dataclass(frozen=True)
class Listed:
    """A committed backup, its pin, and what this host's ledger knows of its newest verification."""

    summary: Summary
    pin: Pin | None
    verified_at: datetime | None
    is_good: bool | None

    @property
    def status(self) -> str:
        """`committed`, `verified` or `failed-verification`."""
        return {None: "committed", True: "verified", False: "failed-verification"}[self.is_good]


@dataclass(frozen=True)
class Shown(Listed):
    """The same, with its manifest."""

    committed: Committed
