"""select-backup: which backup is to be restored, and whether its target is free."""

from dataclasses import replace

from duckback.errors import NoSuchBackup, SourceError, UsageError
from duckback.model.selection import select
from duckback.repository.repository import Committed, Repository
from duckback.routes.exchange import RestoreExchange
from duckback.source.install import refuse_unless_free


class SelectBackup:
    """Takes the backup that is named, else the newest (not after a given moment)."""

    name = "select-backup"

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        try:
            refuse_unless_free(exchange.target, force=exchange.force)
        except OSError as error:
            raise SourceError(
                f"cannot restore to {exchange.target}: {error.strerror}", hint="Restore to another path."
            ) from error
        committed = self._choose(exchange)
        catalog, _ = select(committed.manifest.catalog, exchange.selection)
        return replace(exchange, committed=committed, selected=committed.manifest.with_catalog(catalog))

    def _choose(self, exchange: RestoreExchange) -> Committed:
        if exchange.wanted is not None:
            if exchange.at is not None:
                raise UsageError("a backup and a time were both given", hint="Give either --backup or --at.")
            return self._repository.read(exchange.database, exchange.wanted)
        backups = self._repository.backups(exchange.database)
        shown = [one for one in backups if exchange.at is None or one.manifest.snapshot_at <= exchange.at]
        if not shown:
            when = f" at or before {exchange.at.isoformat()}" if exchange.at else ""
            raise NoSuchBackup(
                f"there is no backup of {exchange.database!r}{when}", hint="`duckback list` shows what is there."
            )
        return shown[-1]
