"""Leases: who is at work in a repository. They spare work; safety does not rest on them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from duckback.model.catalog import Frozen

MAX_LEASE_BYTES = 1 << 16

LeaseKind = Literal["backup", "prune"]
"""What one process at a time does for a database."""

LEASE_KINDS: tuple[LeaseKind, ...] = ("backup", "prune")


class Owner(Frozen):
    """Who holds a lease.

    Attributes:
        run_id: drawn anew for every lease.
        host: the name of the machine.
        pid: of the process.
        place: where process numbers like this one are counted: one boot of one machine, one namespace; None: unknown.
        since: when it was taken, by the holder's clock.
    """

    run_id: UUID
    host: str
    pid: int
    place: str | None
    since: datetime
