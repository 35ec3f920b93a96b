"""What the ledger has to do with pruning: it knows which backups were completed, and records that they are gone."""

from uuid import UUID

from duckback.ledger.base import Ledger
from duckback.model.events import EventKind, event_id, event_of_tombstone
from duckback.model.tombstone import Done, Tombstone, has_event


class PrunedEvents:
    """Of one database.

    Args:
        ledger: to ask and to write.
        repository_id: of the repository that holds it.
        database: its name.
    """

    def __init__(self, ledger: Ledger, repository_id: UUID, database: str) -> None:
        self._ledger = ledger
        self._repository_id = repository_id
        self._database = database

    def is_completed(self, backup_id: UUID) -> bool:
        """Whether this ledger knows a backup as completed and not as pruned."""
        return self._has(EventKind.COMPLETED, backup_id) and not self._has(EventKind.PRUNED, backup_id)

    def _has(self, kind: EventKind, backup_id: UUID) -> bool:
        return self._ledger.entry(event_id(kind, backup_id).int) is not None

    def record(self, tombstone: Tombstone, done: Done) -> None:
        """Record the bytes that went; nothing where none of them were ever recorded as backed up."""
        if has_event(tombstone.cause, done.bytes):
            self._ledger.record(event_of_tombstone(tombstone, done, self._repository_id, self._database))
