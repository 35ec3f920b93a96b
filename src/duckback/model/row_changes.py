"""What changed in the rows of each table between two backups, as far as their manifests tell."""

from dataclasses import dataclass, replace
from typing import Literal

from duckback.model.catalog import Catalog
from duckback.model.damage import label_of
from duckback.model.manifest import Manifest, TableBackup

KnownBy = Literal["manifests", "objects"]


@dataclass(frozen=True)
class RowChange:
    """The change of one table from one backup to another; duplicate rows count, an update is one of each.

    Attributes:
        table: `schema.name`.
        before: rows that the first backup has; None: it has no such table.
        now: rows that the second one has; None: likewise.
        added: rows of the second that the first does not have; None: not known.
        removed: rows of the first that the second does not have; None: not known.
        known_by: what says so; None: nothing does, for `reason`.
    """

    table: str
    before: int | None
    now: int | None
    added: int | None = None
    removed: int | None = None
    known_by: KnownBy | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a comparison of the objects would tell it."""
        return self.added is None and self.reason is None

    def found(self, added: int, removed: int, known_by: KnownBy) -> "RowChange":
        """The same, known."""
        return replace(self, added=added, removed=removed, known_by=known_by)


def row_changes(before: Manifest, before_sha256: str, now: Manifest, now_sha256: str) -> tuple[RowChange, ...]:
    """The change of every table that one of the backups has, in the order of their names.

    Exact, or open: the manifests tell it of tables that only one has, of those whose fingerprints are equal, and of a
    backup and its own parent, where the table was not written whole.

    Args:
        before: the manifest of the first backup.
        before_sha256: of its bytes.
        now: the manifest of the second one, which may be older.
        now_sha256: of its bytes.
    """
    sides = [{label_of(table): table for table in manifest.tables} for manifest in (before, now)]
    found = []
    for label in sorted({*sides[0], *sides[1]}):
        old, new = (side.get(label) for side in sides)
        change = RowChange(label, old.rows if old else None, new.rows if new else None)
        if old is None or new is None:
            found.append(change.found(change.now or 0, change.before or 0, "manifests"))
        elif _columns(before.catalog, old) != _columns(now.catalog, new):
            found.append(replace(change, reason="its columns are not the same"))
        elif old.fingerprint == new.fingerprint and _hash_alike(before, now):
            found.append(change.found(0, 0, "manifests"))
        elif _is_parent(before, before_sha256, now) and new.method == "changed":
            found.append(change.found(new.rows_added, new.rows_removed, "manifests"))
        elif _is_parent(now, now_sha256, before) and old.method == "changed":
            found.append(change.found(old.rows_removed, old.rows_added, "manifests"))
        else:
            found.append(change)
    return tuple(found)


def _columns(catalog: Catalog, rows: TableBackup) -> list[tuple[str, str]]:
    return [
        (column.name, column.type)
        for table in catalog.tables
        if (table.schema_name, table.name) == (rows.schema_name, rows.name)
        for column in table.stored_columns
    ]


def _hash_alike(one: Manifest, other: Manifest) -> bool:
    return (one.engine.duckdb_version, one.engine.hash_probe) == (other.engine.duckdb_version, other.engine.hash_probe)


def _is_parent(manifest: Manifest, sha256: str, child: Manifest) -> bool:
    return (child.parent_id, child.parent_manifest_sha256) == (manifest.backup_id, sha256)
