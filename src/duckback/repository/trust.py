"""Is a backup the one that was made, and the repository as far on as it was? Asked before anything is made of it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from duckback.errors import IntegrityError
from duckback.model.recorded import Known
from duckback.repository.repository import Committed
from duckback.repository.witnesses import Witnesses

HINT = (
    "Somebody has changed the repository, or put an older copy in its place: `duckback ledger verify` compares them. "
    "If you rely on the repository more than on what contradicts it, give --trust-repository."
)


def doubt_about(committed: Committed, witnesses: Witnesses, known: Known) -> str | None:
    """Why a backup may not be the one that was made; None: nobody contradicts it.

    A backup that another ledger has recorded is unknown here, which is no contradiction.
    """
    manifest = committed.manifest
    contradiction = witnesses.doubt(committed)
    if contradiction is not None:
        return f"backup {manifest.backup_id}: {contradiction}"
    record = known.backups.get(manifest.backup_id)
    if record is not None and record.state == "pruned":
        return f"backup {manifest.backup_id} was pruned, as the ledger has recorded, and is there again"
    if record is None and manifest.ledger.id == known.ledger:
        return f"backup {manifest.backup_id} names this host's ledger as its own, which knows nothing of it"
    return None


def rolled_back(
    chosen: Committed, there: Collection[UUID], pruned: Collection[UUID], known: Known, until: datetime | None = None
) -> str | None:
    """The backup that should have been chosen instead, and is not there; None: there is none.

    Args:
        chosen: the newest that is there (not after `until`).
        there: ids of all that are there.
        pruned: ids of those that have a tombstone.
        known: to the ledger.
        until: no backup after this moment is wanted.
    """
    for backup_id, record in known.committed.items():
        is_newer = backup_id > chosen.manifest.backup_id and (until is None or record.started_at <= until)
        if is_newer and backup_id not in there and backup_id not in pruned:
            when = f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC"
            return f"the ledger knows a newer backup than the repository holds: {backup_id} of {when}"
    return None


def refuse(doubt: str | None, hint: str = HINT) -> None:
    """Raise IntegrityError for a doubt, if there is one."""
    if doubt is not None:
        raise IntegrityError(doubt, hint=hint)
