"""Which backup the next one is the difference to."""

from uuid import UUID

from duckback.errors import NoSuchBackup
from duckback.model.recorded import Known
from duckback.repository.parent import Parent, find_parent
from duckback.repository.repository import Repository
from duckback.routes.exchange import Scope


def parent_of(
    repository: Repository, database: str, scope: Scope | None, pruned: frozenset[UUID], witness: Known
) -> Parent:
    """The backup that the next one of that scope is the difference to, if it is to be one; or why it cannot be.

    Args:
        repository: where to look.
        database: whose backups.
        scope: what is asked for.
        pruned: the backups that are being pruned, or have been.
        witness: what the ledger has recorded of manifests counts.

    Raises:
        NoSuchBackup: an incremental is asked for, and there is no backup.
    """
    if scope == "full":
        return Parent(None)
    parent = find_parent(repository, database, pruned, witness)
    if scope == "incremental" and parent.committed is None and parent.doubt is None:
        raise NoSuchBackup(
            f"there is no backup of {database!r} that an incremental could be the difference to",
            hint="Take a full one first: --full, or neither option.",
        )
    return parent
