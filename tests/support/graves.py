"""Tombstones and plans as another process may have written them."""

from collections.abc import Iterable
from uuid import UUID

from duckback.model.ids import time_of
from duckback.model.manifest import Manifest
from duckback.model.seal import sealed
from duckback.model.tombstone import Doomed, Plan, Tombstone
from duckback.repository import layout
from duckback.store.base import Store


def entomb(store: Store, database: str, backup_id: UUID, manifest: Manifest | None = None) -> None:
    """A prune of a backup begins."""
    tombstone = Tombstone(
        backup_id=backup_id,
        cause="retention",
        scope="full",
        objects=tuple(Doomed(key=ref.key, size=ref.size) for ref in (manifest.objects if manifest else ())),
        reason="a test",
        started_at=time_of(backup_id),
        retention_days=90,
        manifest_sha256="ab" * 32,
    )
    store.create(layout.tombstone_key(database, backup_id), sealed(tombstone))


def plan(store: Store, database: str, backup_id: UUID, keys: Iterable[str]) -> None:
    """It has decided what goes."""
    decided = Plan(backup_id=backup_id, keys=tuple(keys), bytes=0)
    store.create(layout.tombstone_key(database, backup_id, "plan"), sealed(decided))
