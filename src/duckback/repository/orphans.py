"""Objects that no backup refers to: what runs left behind that were killed before their commit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from duckback.model.tombstone import Doomed, Tombstone
from duckback.repository import layout
from duckback.store.base import ListedObject, Store

_NAMESPACE: Final = UUID("6f0d4f3e-8f8e-4c58-9a35-6a3f2f1f5d10")


@dataclass(frozen=True)
class Orphans:
    """Objects without a backup.

    Attributes:
        doomed: those that may go.
        orphaned: by backup that the ledger knows as completed and whose manifest is gone without a tombstone: how many
            of its objects are there. They are evidence, and perhaps all that is left of it.
    """

    doomed: tuple[ListedObject, ...]
    orphaned: dict[UUID, int]


def find_orphans(
    store: Store, database: str, *, referred: set[str], before: datetime, is_completed: Callable[[UUID], bool]
) -> Orphans:
    """Objects of a database that nothing refers to.

    Args:
        store: of the repository.
        database: whose.
        referred: keys that a manifest or an open tombstone names.
        before: only what the store has had since then.
        is_completed: whether the ledger knows a backup as completed and not as pruned.
    """
    loose = [
        row
        for row in store.list(layout.data_prefix(database))
        if row.key not in referred and row.modified < before and layout.writer_of(row.key) is not None
    ]
    writers = {writer for row in loose if (writer := layout.writer_of(row.key)) is not None and is_completed(writer)}
    lost = [writer for row in loose if (writer := layout.writer_of(row.key)) in writers and writer is not None]
    return Orphans(
        doomed=tuple(row for row in loose if layout.writer_of(row.key) not in writers),
        orphaned={writer: lost.count(writer) for writer in sorted(writers)},
    )


def tombstone_of(orphans: Orphans, now: datetime) -> Tombstone:
    """What is written before they go; under an id of their own, the same for whoever finds the same orphans."""
    keys = sorted(row.key for row in orphans.doomed)
    return Tombstone(
        backup_id=uuid5(_NAMESPACE, "\n".join(keys)),
        cause="orphans",
        scope="full",
        objects=tuple(Doomed(key=row.key, size=row.size) for row in orphans.doomed),
        reason="no backup refers to them",
        started_at=now,
        retention_days=0,
        manifest_sha256=None,
    )
