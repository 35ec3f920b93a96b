"""What damage means for the backups of a database, as pure functions over their manifests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from duckback.model.manifest import Manifest, TableBackup


@dataclass(frozen=True)
class Damage:
    """One damaged table in one object of it.

    Attributes:
        object: the object's key; None where the rows themselves are wrong.
        table: `schema.name`.
        backups: those concerned, oldest first.
        newest_good: the newest backup in which the table is not known to be damaged; None: there is none.
    """

    object: str | None
    table: str
    backups: tuple[UUID, ...]
    newest_good: UUID | None


def damage(
    manifests: Sequence[Manifest], objects: Mapping[str, set[str]], tables: Mapping[UUID, set[str]]
) -> tuple[Damage, ...]:
    """Which backups are concerned, and where each damaged table is still good.

    Args:
        manifests: of all backups of the database that can be read, oldest first.
        objects: the keys of damaged objects, with the tables that they were found in.
        tables: by backup, the tables whose rows are wrong though their objects are not.
    """
    found = [
        Damage(key, label, _that_refer_to(key, manifests), newest_good(label, manifests, objects, tables))
        for key, labels in sorted(objects.items())
        for label in sorted(labels)
    ]
    for label in sorted({label for labels in tables.values() for label in labels}):
        concerned = tuple(one.backup_id for one in manifests if label in tables.get(one.backup_id, ()))
        found.append(Damage(None, label, concerned, newest_good(label, manifests, objects, tables)))
    return tuple(found)


def newest_good(
    label: str, manifests: Sequence[Manifest], objects: Mapping[str, set[str]], tables: Mapping[UUID, set[str]]
) -> UUID | None:
    """The newest backup that has a table and of which no damage to it is known; arguments as of `damage`."""
    for manifest in reversed(manifests):
        backup = next((table for table in manifest.tables if label_of(table) == label), None)
        if backup is None or label in tables.get(manifest.backup_id, ()):
            continue
        if not any(ref.key in objects for ref in backup.refs):
            return manifest.backup_id
    return None


def label_of(table: TableBackup) -> str:
    """`schema.name`, as the catalogue labels it."""
    return f"{table.schema_name}.{table.name}"


def _that_refer_to(key: str, manifests: Sequence[Manifest]) -> tuple[UUID, ...]:
    return tuple(one.backup_id for one in manifests if any(ref.key == key for ref in one.objects))
