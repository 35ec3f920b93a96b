"""Which backups a verification is of, whatever is pruned before it or meanwhile."""

from collections.abc import Iterable
from uuid import UUID

from duckback.errors import NoSuchBackup
from duckback.model.proof import Problem
from duckback.repository.stones import tombstoned
from duckback.repository.survey import Survey
from duckback.routes.exchange import Verified
from duckback.store.base import Store


def ids_of(there: Survey, database: str, wanted: UUID | None) -> list[UUID]:
    """The wanted backup alone, or all that are there, in the order of their making.

    Raises:
        NoSuchBackup: it is being pruned, or is not there.
    """
    if wanted is None:
        return there.ids
    if wanted not in there.ids:
        raise _none(wanted, database, "is being pruned" if wanted in there.pruned else "is not there any more")
    return [wanted]


def gone(there: Survey, wanted: UUID | None) -> list[Verified]:
    """A result for each backup that should be there and is not, where all are verified."""
    missing = there.missing if wanted is None else {}
    return [
        Verified(one, None, (Problem(object=None, table=None, what=f"the backup is gone, though {who}"),))
        for one, who in missing.items()
    ]


def without_pruned(store: Store, database: str, results: Iterable[Verified], wanted: UUID | None) -> list[Verified]:
    """The results but those of backups that began to be pruned meanwhile: nothing is wrong if they lack objects.

    Raises:
        NoSuchBackup: the wanted one did.
        StoreError: the store cannot be read.
    """
    found = list(results)
    if all(one.is_good for one in found):
        return found
    if wanted is not None:
        refuse_pruned(store, database, wanted)
    pruned = tombstoned(store, database)
    return [one for one in found if one.is_good or one.backup_id not in pruned]


def note_bad(error: BaseException, results: Iterable[Verified]) -> None:
    """Have an error that ends a run say which backups were found bad before it."""
    bad = [str(one.backup_id) for one in results if not one.is_good]
    if bad:
        error.add_note(f"found bad before that: {', '.join(bad)}")


def refuse_pruned(store: Store, database: str, backup_id: UUID) -> None:
    """Raise NoSuchBackup for a backup that has a tombstone.

    Raises:
        StoreError: the store cannot be read.
    """
    if backup_id in tombstoned(store, database):
        raise _none(backup_id, database, "is being pruned")


def _none(backup_id: UUID, database: str, why: str) -> NoSuchBackup:
    return NoSuchBackup(f"backup {backup_id} of {database!r} {why}", hint="`duckback list` shows those that are there.")
