"""Manifests of backups that nobody made."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from duckback.model.catalog import Catalog
from duckback.model.ids import new_id
from duckback.model.manifest import Engine, LedgerHead, Manifest
from duckback.repository.commit import commit
from duckback.repository.deletion import Deletion
from duckback.repository.repository import Committed, Repository
from duckback.repository.summaries import Summaries


def committed(repository: Repository, manifest: Manifest) -> Committed:
    """Commit a manifest as a backup does."""
    return commit(repository.store, Deletion(repository, Summaries(repository), manifest.database), manifest)


def a_manifest(repository_id: UUID, **changes: Any) -> Manifest:
    """A sound manifest of database "hot" without tables, with the given fields instead."""
    started = datetime(2026, 11, 23, 12, tzinfo=UTC)
    fields: dict[str, Any] = {
        "format": "1",
        "duckback_version": "0.1.0",
        "repository_id": repository_id,
        "backup_id": new_id(started),
        "database": "hot",
        "backup_type": "duckdb",
        "scope": "full",
        "parent_id": None,
        "parent_manifest_sha256": None,
        "started_at": started,
        "snapshot_at": started,
        "retention_until": started + timedelta(days=90),
        "compression": "parquet-zstd",
        "encryption": "none",
        "capture_mode": "direct",
        "file": None,
        "engine": Engine(duckdb_version="2.0.0", storage_version="v2.0.0", hash_probe=1),
        "ledger": LedgerHead(driver="embedded", id="x", head="0" * 64),
        "catalog": Catalog(),
        "tables": (),
        "excluded": (),
        "seconds": {},
    }
    return Manifest.model_validate(fields | changes)
