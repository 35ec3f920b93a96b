"""Decisions about time, as pure functions that are told what time it is."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from duckback.model.ids import time_of


def past_their_time(backup_ids: Iterable[UUID], *, keep: timedelta, now: datetime) -> list[UUID]:
    """The local copies to remove: those of backups that were made more than `keep` before `now` (aware)."""
    return [backup_id for backup_id in backup_ids if time_of(backup_id) < now - keep]
