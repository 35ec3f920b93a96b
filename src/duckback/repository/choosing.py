"""Which backup is meant, and is it the one that was made?"""

from datetime import datetime
from uuid import UUID

from duckback.errors import IntegrityError, NoSuchBackup, UsageError
from duckback.model.recorded import NOTHING, Known, Records
from duckback.repository.finding import find_backup
from duckback.repository.proofs import proofs
from duckback.repository.repository import Committed, Repository
from duckback.repository.survey import Survey, survey
from duckback.repository.trust import HINT, doubt_about, refuse, rolled_back
from duckback.repository.witnesses import Witnesses


def choose(
    repository: Repository,
    database: str,
    records: Records,
    *,
    wanted: UUID | None,
    at: datetime | None,
    trust_repository: bool,
) -> Committed:
    """The backup that is named, else the newest (not after a given moment).

    Args:
        repository: where to look.
        database: whose backup.
        records: what this host's ledger knows of the database's backups.
        wanted: its id.
        at: the latest moment that it may show.
        trust_repository: though the ledger or a proof contradicts it.

    Raises:
        UsageError: both an id and a moment are given.
        NoSuchBackup: there is none.
        IntegrityError: its manifest is damaged, or somebody knows that it is not the one that was made.
    """
    if wanted is not None and at is not None:
        raise UsageError("a backup and a time were both given", hint="Give either --backup or --at.")
    known = NOTHING if trust_repository else records()
    if wanted is not None:
        committed = repository.read(database, wanted)
        if not trust_repository:
            witnesses = Witnesses({}, proofs(repository, database), known.committed)
            refuse(doubt_about(committed, witnesses, known))
        return committed
    there = survey(repository, database, known)
    found = newest(there, database, known, at)
    if not trust_repository:
        refuse(doubt_about(found, there.witnesses, known))
    return found


def identify(repository: Repository, database: str, backup: str, known: Known = NOTHING) -> UUID:
    """The id of the backup that is meant by an id, the beginning of one, or "latest".

    Raises:
        NoSuchBackup: none, or more than one, is meant.
        IntegrityError: of "latest": which one that is cannot be said.
    """
    wanted = find_backup(repository, database, backup)
    if wanted is not None:
        return wanted
    return newest(survey(repository, database, known), database, known).manifest.backup_id


def newest(there: Survey, database: str, known: Known, at: datetime | None = None) -> Committed:
    """The newest backup, right or not.

    Args:
        there: what there is of the database.
        database: its name.
        known: to the ledger.
        at: the latest moment that it may show.

    Raises:
        NoSuchBackup: there is none.
        IntegrityError: a manifest that may be of a newer one is damaged, or the ledger knows of one.
    """
    shown = [one for one in there.committed.values() if at is None or one.manifest.snapshot_at <= at]
    _refuse_damaged(there, shown)
    if not shown:
        when = f" at or before {at.isoformat()}" if at else ""
        raise NoSuchBackup(f"there is no backup of {database!r}{when}", hint="`duckback list` shows what is there.")
    found = shown[-1]
    hint = f"{HINT} Or name the backup: {found.manifest.backup_id}."
    refuse(rolled_back(found, there.ids, there.pruned, known, at), hint)
    return found


def _refuse_damaged(there: Survey, shown: list[Committed]) -> None:
    """What a damaged manifest showed is not known: unless an older id says so, it may be the one that is meant."""
    for backup_id in sorted(there.damaged, reverse=True):
        if shown and backup_id < shown[-1].manifest.backup_id:
            return
        hint = "Somebody put it there, or it is damaged; no other backup is left."
        if shown:
            newest = shown[-1].manifest
            hint = (
                f"The newest backup whose manifest can be read is of {newest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC: "
                f"name it to rely on it, {newest.backup_id}."
            )
        raise IntegrityError(there.damaged[backup_id], hint=hint)
