"""Which backup the next one is the difference to."""

from uuid import UUID

from duckback.errors import NoSuchBackup
from duckback.ledger.base import Ledger
from duckback.ledger.codec import manifest_prefix
from duckback.model.events import EventKind, event_id
from duckback.repository.parent import Parent, find_parent
from duckback.repository.repository import Repository
from duckback.routes.exchange import Scope


def parent_of(
    repository: Repository, database: str, scope: Scope | None, pruned: frozenset[UUID], ledger: Ledger
) -> Parent:
    """The backup that the next one of that scope is the difference to, if it is to be one; or why it cannot be.

    Args:
        repository: where to look.
        database: whose backups.
        scope: what is asked for.
        pruned: the backups that are being pruned, or have been.
        ledger: what it has recorded of a manifest counts.

    Raises:
        NoSuchBackup: an incremental is asked for, and there is no backup.
    """
    if scope == "full":
        return Parent(None)

    def recorded(backup_id: UUID) -> str | None:
        entry = ledger.entry(event_id(EventKind.COMPLETED, backup_id).int)
        return manifest_prefix(entry.transfer) if entry is not None else None

    parent = find_parent(repository, database, pruned, recorded)
    if scope == "incremental" and parent.committed is None and parent.doubt is None:
        raise NoSuchBackup(
            f"there is no backup of {database!r} that an incremental could be the difference to",
            hint="Take a full one first: --full, or neither option.",
        )
    return parent
