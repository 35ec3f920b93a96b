"""Which backup an incremental is the difference to."""

from dataclasses import dataclass
from uuid import UUID

from duckback.errors import IntegrityError
from duckback.model.recorded import Known
from duckback.repository.repository import Committed, Repository
from duckback.repository.trust import doubt_about, rolled_back
from duckback.repository.witnesses import Witnesses


@dataclass(frozen=True)
class Parent:
    """The newest backup; or why there is one that cannot be relied on; or neither, if there is none."""

    committed: Committed | None
    doubt: str | None = None


def find_parent(repository: Repository, database: str, pruned: frozenset[UUID], known: Known) -> Parent:
    """The newest committed backup of a database that is not being pruned, if its manifest can be trusted.

    Args:
        repository: where to look.
        database: whose backups.
        pruned: those that are being pruned, or are gone.
        known: to the ledger.

    Raises:
        StoreError: the store does not answer.
    """
    there = [backup_id for backup_id in repository.backup_ids(database) if backup_id not in pruned]
    if not there:
        return Parent(None)
    try:
        committed = repository.read(database, there[-1])
    except IntegrityError as error:
        return Parent(None, error.message)
    witnesses = Witnesses({}, {}, known.committed)
    doubt = doubt_about(committed, witnesses, known) or rolled_back(committed, there, pruned, known)
    return Parent(None, doubt) if doubt is not None else Parent(committed)
