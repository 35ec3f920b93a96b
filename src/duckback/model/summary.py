"""What listing and pruning need of a manifest; small, so that a thousand of them are read at once."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from duckback.model.catalog import Frozen
from duckback.model.manifest import Count, Manifest, Sha256


class Summary(Frozen):
    """Of one committed backup; fields as of the manifest.

    Attributes:
        manifest_sha256: of the manifest's bytes.
        objects: key and size of every object that the manifest refers to, each once.
        locked_until: when the store's object lock lets the last of them go; None: not locked.
    """

    backup_id: UUID
    database: str
    scope: Literal["full", "incremental"]
    parent_id: UUID | None
    started_at: datetime
    snapshot_at: datetime
    retention_until: datetime
    rows: Count
    size_bytes: Count
    bytes_added: Count
    manifest_sha256: Sha256
    objects: tuple[tuple[str, Count], ...]
    locked_until: datetime | None

    @classmethod
    def of(cls, manifest: Manifest, sha256: str) -> Self:
        """The summary of a manifest with that SHA-256."""
        locks = [ref.locked_until for ref in manifest.objects if ref.locked_until is not None]
        return cls(
            backup_id=manifest.backup_id,
            database=manifest.database,
            scope=manifest.scope,
            parent_id=manifest.parent_id,
            started_at=manifest.started_at,
            snapshot_at=manifest.snapshot_at,
            retention_until=manifest.retention_until,
            rows=manifest.rows,
            size_bytes=manifest.size_bytes,
            bytes_added=manifest.bytes_added,
            manifest_sha256=sha256,
            objects=tuple({ref.key: ref.size for ref in manifest.objects}.items()),
            locked_until=max(locks, default=None),
        )
