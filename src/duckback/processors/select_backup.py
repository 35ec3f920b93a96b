"""select-backup: which backup is to be restored, is it the one that was made, and is its target free?"""

from dataclasses import replace

from duckback.errors import SourceError, UsageError
from duckback.model.recorded import Records
from duckback.model.selection import select
from duckback.repository.choosing import choose
from duckback.repository.repository import Repository
from duckback.routes.exchange import RestoreExchange
from duckback.source.install import refuse_unless_free


class SelectBackup:
    """Takes the backup that is named, else the newest (not after a given moment).

    Args:
        repository: where to look.
        records: what this host's ledger knows of the database's backups.
    """

    name = "select-backup"

    def __init__(self, repository: Repository, records: Records) -> None:
        self._repository = repository
        self._records = records

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        if exchange.where is not None and not exchange.selection.tables:
            raise UsageError("--where needs to know of which tables", hint="Give --table as well, once or more.")
        try:
            refuse_unless_free(exchange.target, force=exchange.force)
        except OSError as error:
            raise SourceError(
                f"cannot restore to {exchange.target}: {error.strerror}", hint="Restore to another path."
            ) from error
        committed = choose(
            self._repository,
            exchange.database,
            self._records,
            wanted=exchange.wanted,
            at=exchange.at,
            trust_repository=exchange.trust_repository,
        )
        catalog, _ = select(committed.manifest.catalog, exchange.selection)
        return replace(exchange, committed=committed, selected=committed.manifest.with_catalog(catalog))
