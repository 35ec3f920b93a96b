"""Which backup an incremental is the difference to."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from duckback.errors import IntegrityError
from duckback.repository.repository import Committed, Repository

DigestOf = Callable[[UUID], str | None]
"""From a backup's id: the first hex digits of its manifest's SHA-256, as a ledger has recorded them, else None."""


@dataclass(frozen=True)
class Parent:
    """The newest backup; or why there is one that cannot be relied on; or neither, if there is none."""

    committed: Committed | None
    doubt: str | None = None


def find_parent(repository: Repository, database: str, pruned: frozenset[UUID], recorded: DigestOf) -> Parent:
    """The newest committed backup of a database that is not being pruned, if its manifest can be trusted.

    Args:
        repository: where to look.
        database: whose backups.
        pruned: those that are being pruned, or are gone.
        recorded: what the ledger knows.

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
    digest = recorded(committed.manifest.backup_id)
    if digest is not None and not committed.sha256.startswith(digest):
        return Parent(None, f"the manifest of backup {there[-1]} is not the one that the ledger has recorded")
    return Parent(committed)
