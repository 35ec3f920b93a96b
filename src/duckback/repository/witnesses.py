"""Who else knows what a manifest was, and which backups there must be: children, proofs, a ledger.

A manifest's seal shows that it is as somebody wrote it; only a digest that is kept elsewhere shows that it is the
one that was written then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from duckback.model.recorded import Recorded
from duckback.repository.layout import ProofName
from duckback.repository.repository import Committed


@dataclass(frozen=True)
class Witnesses:
    """What is known of the manifests of one database beside themselves.

    Attributes:
        children: by parent, the backup that names it and the SHA-256 that it names.
        proofs: by backup.
        recorded: by a ledger.
    """

    children: Mapping[UUID, tuple[tuple[UUID, str], ...]]
    proofs: Mapping[UUID, list[ProofName]]
    recorded: Mapping[UUID, Recorded]

    def doubt(self, committed: Committed) -> str | None:
        """Why a manifest is not the one that was committed; None: nobody says so."""
        backup_id, sha256 = committed.manifest.backup_id, committed.sha256
        for child, digest in self.children.get(backup_id, ()):
            if digest != sha256:
                return f"the manifest is not the one that backup {child} was made after"
        for name in self.proofs.get(backup_id, []):
            if name.verdict.is_good and name.manifest is not None and not sha256.startswith(name.manifest):
                return f"the manifest is not the one that was proven at {name.verdict.at:%Y-%m-%d %H:%M:%S} UTC"
        record = self.recorded.get(backup_id)
        if record is not None and record.manifest is not None and not sha256.startswith(record.manifest):
            return "the manifest is not the one that the ledger has recorded"
        return None

    def missing(self, there: Iterable[UUID], pruned: Iterable[UUID]) -> dict[UUID, str]:
        """The backups that must be there and are not, and who says so; oldest first."""
        known = {*there, *pruned}
        said = {parent: f"backup {children[0][0]} was made after it" for parent, children in self.children.items()}
        said |= dict.fromkeys(self.proofs, "a proof of it is there")
        said |= dict.fromkeys(self.recorded, "the ledger has recorded it")
        return {backup_id: said[backup_id] for backup_id in sorted(said) if backup_id not in known}


def children_of(backups: Iterable[Committed]) -> dict[UUID, tuple[tuple[UUID, str], ...]]:
    """What manifests say of their parents."""
    found: dict[UUID, tuple[tuple[UUID, str], ...]] = {}
    for one in backups:
        parent, digest = one.manifest.parent_id, one.manifest.parent_manifest_sha256
        if parent is not None and digest is not None:
            found[parent] = (*found.get(parent, ()), (one.manifest.backup_id, digest))
    return found
