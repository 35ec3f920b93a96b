"""keep-local-copies: what was uploaded stays on this machine for a while, as the base of the next difference."""

import shutil
from dataclasses import replace
from datetime import timedelta

from duckback.repository.objects import ObjectFiles
from duckback.routes.exchange import BackupExchange, required
from duckback.store.base import Store


class KeepLocalCopies:
    """Moves the files of a committed backup from the staging directory; a local repository needs no copies.

    What fails here is told in a notice: the backup is committed and stays good.

    Args:
        store: the repository's.
        files: says where copies are.
        keep: how long copies are kept; none are made if that is no time.
    """

    name = "keep-local-copies"

    def __init__(self, store: Store, files: ObjectFiles, keep: timedelta) -> None:
        self._store = store
        self._files = files
        self._keep = keep

    def process(self, exchange: BackupExchange) -> BackupExchange:
        if exchange.committed is None or self._keep <= timedelta(0):
            return exchange
        try:
            self._move(exchange)
        except OSError as error:
            notice = f"the backup is complete, but no local copies of it were kept: {error}"
            return replace(exchange, notices=(*exchange.notices, notice))
        return exchange

    def _move(self, exchange: BackupExchange) -> None:
        refs = required(exchange.committed).manifest.new_objects
        if any(self._store.local_path(ref.key) for ref in refs):
            return
        for (_, file), ref in zip(required(exchange.export).files, refs, strict=True):
            copy = self._files.copy_of(ref)
            copy.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            shutil.move(required(exchange.backup_path) / file.name, copy)
