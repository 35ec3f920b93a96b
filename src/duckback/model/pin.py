"""Pins: backups that no retention policy drops."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from duckback.model.catalog import Frozen

MAX_PIN_BYTES = 1 << 16
MAX_REASON = 1000


class Pin(Frozen):
    """`pins/<backup-id>.json`: the backup stays until the pin is removed, and why."""

    backup_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]
    pinned_at: datetime
