"""Every manifest of a database, as far as it can be read, and what witnesses say of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from duckback.errors import IntegrityError, NoSuchBackup
from duckback.model.recorded import Known
from duckback.repository.proofs import proofs
from duckback.repository.repository import Committed, Repository
from duckback.repository.stones import each, tombstoned
from duckback.repository.witnesses import Witnesses, children_of


@dataclass(frozen=True)
class Survey:
    """What there is of a database.

    Attributes:
        committed: the backups whose manifests can be read, in the order of the moments that they show.
        damaged: why the others cannot.
        pruned: those that have a tombstone, whether anything of them is left or not; they are not among the others.
    """

    committed: Mapping[UUID, Committed]
    damaged: Mapping[UUID, str]
    pruned: frozenset[UUID]
    witnesses: Witnesses

    @property
    def ids(self) -> list[UUID]:
        """All that have a manifest, in the order of their making."""
        return sorted([*self.committed, *self.damaged])

    @property
    def missing(self) -> dict[UUID, str]:
        """Those that should have one, and who says so."""
        return self.witnesses.missing(self.ids, self.pruned)

    def doubt(self, backup_id: UUID) -> str | None:
        """What is wrong with the manifest of a backup; None: nobody says that anything is."""
        if backup_id in self.damaged:
            return self.damaged[backup_id]
        return self.witnesses.doubt(self.committed[backup_id])


def survey(repository: Repository, database: str, known: Known) -> Survey:
    """Look at a database's manifests, proofs and tombstones.

    Args:
        repository: where.
        database: whose backups.
        known: to a ledger.

    Raises:
        StoreError: the store cannot be read.
    """

    def read(backup_id: UUID) -> Committed | str | None:
        try:
            return repository.read(database, backup_id)
        except IntegrityError as error:
            return error.message
        except NoSuchBackup:
            return None  # pruned since it was listed

    ids = repository.backup_ids(database)
    found = dict(zip(ids, each(read, ids), strict=True))
    # Asked after them: what began to be pruned meanwhile has its tombstone by now.
    pruned = tombstoned(repository.store, database)
    left = {backup_id: one for backup_id, one in found.items() if backup_id not in pruned}
    committed = [one for one in left.values() if isinstance(one, Committed)]
    committed.sort(key=lambda one: (one.manifest.snapshot_at, one.manifest.backup_id))
    return Survey(
        committed={one.manifest.backup_id: one for one in committed},
        damaged={backup_id: why for backup_id, why in left.items() if isinstance(why, str)},
        pruned=pruned,
        witnesses=Witnesses(children_of(committed), proofs(repository, database), known.committed),
    )
