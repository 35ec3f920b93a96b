"""select-backup: which backup is to be restored, is it the one that was made, and is its target free?"""

from dataclasses import replace

from duckback.errors import IntegrityError, NoSuchBackup, SourceError, UsageError
from duckback.model.recorded import NOTHING, Known, Records
from duckback.model.selection import select
from duckback.repository.proofs import proofs
from duckback.repository.repository import Committed, Repository
from duckback.repository.survey import Survey, survey
from duckback.repository.trust import doubt_about, refuse, rolled_back
from duckback.repository.witnesses import Witnesses
from duckback.routes.exchange import RestoreExchange, required
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
        try:
            refuse_unless_free(exchange.target, force=exchange.force)
        except OSError as error:
            raise SourceError(
                f"cannot restore to {exchange.target}: {error.strerror}", hint="Restore to another path."
            ) from error
        known = NOTHING if exchange.trust_repository else self._records()
        committed = self._named(exchange, known) if exchange.wanted is not None else self._newest(exchange, known)
        catalog, _ = select(committed.manifest.catalog, exchange.selection)
        return replace(exchange, committed=committed, selected=committed.manifest.with_catalog(catalog))

    def _named(self, exchange: RestoreExchange, known: Known) -> Committed:
        if exchange.at is not None:
            raise UsageError("a backup and a time were both given", hint="Give either --backup or --at.")
        committed = self._repository.read(exchange.database, required(exchange.wanted))
        if not exchange.trust_repository:
            witnesses = Witnesses({}, proofs(self._repository, exchange.database), known.committed)
            refuse(doubt_about(committed, witnesses, known))
        return committed

    def _newest(self, exchange: RestoreExchange, known: Known) -> Committed:
        there = survey(self._repository, exchange.database, known)
        shown = [
            one for one in there.committed.values() if exchange.at is None or one.manifest.snapshot_at <= exchange.at
        ]
        _refuse_damaged(there, shown)
        if not shown:
            when = f" at or before {exchange.at.isoformat()}" if exchange.at else ""
            raise NoSuchBackup(
                f"there is no backup of {exchange.database!r}{when}", hint="`duckback list` shows what is there."
            )
        if not exchange.trust_repository:
            refuse(rolled_back(shown[-1], there.ids, there.pruned, known, exchange.at))
            refuse(doubt_about(shown[-1], there.witnesses, known))
        return shown[-1]


def _refuse_damaged(there: Survey, shown: list[Committed]) -> None:
    """What a damaged manifest showed is not known: it may be the one that is meant."""
    for backup_id in sorted(there.damaged, reverse=True):
        hint = "Somebody put it there, or it is damaged; no other backup is left."
        if shown:
            newest = shown[-1].manifest
            hint = (
                f"The newest backup whose manifest can be read is of {newest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC: "
                f"--backup {newest.backup_id}."
            )
        raise IntegrityError(there.damaged[backup_id], hint=hint)
