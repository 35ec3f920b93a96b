"""The commit: a manifest is created, once, and stays if nobody is deleting what it refers to."""

import hashlib
from uuid import UUID

from duckback.errors import NotFound, OutcomeUnknown, StoreError, Withdrawn
from duckback.model.manifest import MAX_MANIFEST_BYTES, Manifest, encode
from duckback.model.summary import Summary
from duckback.repository import layout
from duckback.repository.deletion import Deletion
from duckback.repository.entombing import withdrawal
from duckback.repository.repository import Committed
from duckback.store.base import Store


def commit(store: Store, deletion: Deletion, manifest: Manifest, gone: frozenset[UUID] = frozenset()) -> Committed:
    """Make a backup visible, after its objects are in the store.

    Args:
        store: of the repository.
        deletion: of the database.
        manifest: of the backup.
        gone: backups whose deletion was done before the objects of earlier backups were probed: what was there then
            was in none of their plans.

    Raises:
        Withdrawn: an object that this backup refers to is being deleted; it was taken back.
        AlreadyExists: another manifest has this backup's id.
        OutcomeUnknown: the store does not say whether it took it.
        StoreError: it did not; the backup is not visible.
    """
    data = encode(manifest)
    _create(store, layout.manifest_key(manifest.database, manifest.backup_id), data)
    committed = Committed(manifest, hashlib.sha256(data).hexdigest())
    pruned = _pruned(deletion, manifest, gone)
    if pruned is not None:
        _withdraw(deletion, committed, pruned)
    return committed


def _pruned(deletion: Deletion, manifest: Manifest, gone: frozenset[UUID]) -> UUID | None:
    """The backup with which something goes that this one refers to."""
    keys = {ref.key for ref in manifest.objects}
    stones = deletion.look()
    if manifest.backup_id in stones.tombstoned:
        return manifest.backup_id
    undecided = (deletion.tombstone(backup_id) for backup_id in stones.undecided)
    if any(one.key in keys for tombstone in undecided for one in tombstone.objects):
        deletion.decide()
        stones = deletion.look()
    plans = (deletion.plan(backup_id) for backup_id in sorted(stones.planned - gone))
    return next((plan.backup_id for plan in plans if not keys.isdisjoint(plan.keys)), None)


def _withdraw(deletion: Deletion, committed: Committed, pruned: UUID) -> None:
    manifest = committed.manifest
    deletion.entomb(withdrawal(Summary.of(manifest, committed.sha256), pruned))
    deletion.decide()
    for failure in deletion.finish(manifest.backup_id).failures:
        raise StoreError(
            f"backup {manifest.backup_id} relies on backup {pruned}, which is being pruned, and cannot be withdrawn: "
            f"{failure.key}: {failure.reason}",
            hint="It is marked as withdrawn; run `duckback prune` when the store takes deletes again.",
        )
    raise Withdrawn(f"backup {pruned}, on whose objects this one relies, is being pruned", hint="Run the backup again.")


def _create(store: Store, key: str, data: bytes) -> None:
    try:
        store.create(key, data, lock=True)
    except StoreError as error:
        # An answer can be lost after the store did what it was asked: what counts is what it holds.
        if not _holds(store, key, data, error):
            raise


def _holds(store: Store, key: str, data: bytes, why: StoreError) -> bool:
    try:
        return store.get(key, limit=MAX_MANIFEST_BYTES) == data
    except NotFound:
        return False
    except StoreError as error:
        raise OutcomeUnknown(
            f"the store did not say whether the backup was committed: {why.message}",
            hint="`duckback list` shows it if it was; the next backup records it.",
        ) from error
