"""cleanup-old-duckdb-backups: local copies for their time and no longer; what killed uploads left in the store."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from duckback.errors import StoreError
from duckback.model.policy import past_their_time
from duckback.repository import layout
from duckback.routes.exchange import BackupExchange
from duckback.store.base import Store

_ABANDONED = timedelta(hours=24)
"""No upload takes so long: one that began earlier is that of a killed run."""


class CleanupOldDuckdbBackups:
    """What fails here is told in a notice: the backup is committed and recorded, and stays good.

    Args:
        store: the repository's.
        copies: the directory of this database's local copies, one directory a backup.
        keep: how long copies are kept.
        clock: now, UTC.
    """

    name = "cleanup-old-duckdb-backups"

    def __init__(self, store: Store, copies: Path, keep: timedelta, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._copies = copies
        self._keep = keep
        self._clock = clock

    def process(self, exchange: BackupExchange) -> BackupExchange:
        try:
            self._remove_old()
            self._store.abort_uploads(layout.data_prefix(exchange.database), before=self._clock() - _ABANDONED)
        except (OSError, StoreError) as error:
            notice = f"the backup is complete, but its clean-up failed: {error}"
            return replace(exchange, notices=(*exchange.notices, notice))
        return exchange

    def _remove_old(self) -> None:
        kept = {folder.name: folder for folder in self._copies.iterdir()} if self._copies.is_dir() else {}
        for backup_id in past_their_time(map(UUID, kept), keep=self._keep, now=self._clock()):
            shutil.rmtree(kept[str(backup_id)])
