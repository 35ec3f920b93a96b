"""Pins of a database's backups."""

from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from duckback.errors import AlreadyExists, IntegrityError, NoSuchBackup, StoreError
from duckback.model.pin import MAX_PIN_BYTES, Pin
from duckback.model.seal import sealed, unseal
from duckback.repository import layout
from duckback.repository.stones import each, tombstoned
from duckback.store.base import Store


def read_pins(store: Store, database: str) -> dict[UUID, Pin]:
    """The pins of a database, by backup.

    Raises:
        IntegrityError: one is damaged; named.
        StoreError: the store cannot be read.
    """
    keys = [listed.key for listed in store.list(layout.pin_prefix(database)) if layout.backup_of_pin(listed.key)]
    return {pin.backup_id: pin for pin in each(lambda key: _read(store, key), keys)}


def _read(store: Store, key: str) -> Pin:
    document = unseal(store.get(key, limit=MAX_PIN_BYTES))
    try:
        # What is not sealed as it should be is no document at all.
        pin = Pin.model_validate_json(document or b"")
    except ValidationError as error:
        raise IntegrityError(f"{store.uri(key)} is damaged", hint="Delete it, and pin the backup again.") from error
    if pin.backup_id != layout.backup_of_pin(key):
        raise IntegrityError(f"{store.uri(key)} is the pin of another backup", hint="Delete it: somebody put it there.")
    return pin


def pin(store: Store, database: str, backup_id: UUID, reason: str, now: datetime) -> Pin:
    """Pin a backup; one that is pinned already keeps its pin.

    Returns:
        The pin that is there.

    Raises:
        NoSuchBackup: it is being pruned, and cannot be kept.
    """
    key, made = layout.pin_key(database, backup_id), Pin(backup_id=backup_id, reason=reason, pinned_at=now)
    try:
        store.create(key, sealed(made))
    except AlreadyExists:
        return _read(store, key)
    # After the pin is there: a prune that begins later sees it.
    if backup_id in tombstoned(store, database):
        unpin(store, database, backup_id)
        raise NoSuchBackup(f"backup {backup_id} is being pruned already, and cannot be pinned")
    return made


def unpin(store: Store, database: str, backup_id: UUID) -> None:
    """Remove a pin; that there is none is no error.

    Raises:
        StoreError: the store does not delete it.
    """
    for failure in store.delete([layout.pin_key(database, backup_id)]):
        raise StoreError(f"cannot remove the pin of backup {backup_id}: {failure.reason}")
