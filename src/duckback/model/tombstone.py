"""Tombstones: what says that objects are to go, which of them do go, and that they are gone."""

from datetime import datetime
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import Field, ValidationError

from duckback.errors import IntegrityError
from duckback.model.catalog import Frozen
from duckback.model.manifest import Count, Key, Sha256
from duckback.model.seal import unseal

MAX_TOMBSTONE_BYTES = 64 << 20

T = TypeVar("T", bound=Frozen)

Cause = Literal["retention", "withdrawn", "orphans"]
"""Retention dropped a backup; its own run withdrew it at the commit; or no backup refers to these objects."""


class Doomed(Frozen):
    """An object that a tombstone names, and its size in bytes."""

    key: Key
    size: Count


class Tombstone(Frozen):
    """`pruned/<backup-id>.json`: these objects go, unless a manifest refers to them. It is there before anything goes.

    Attributes:
        backup_id: of the backup that goes; of orphans, an id of its own.
        objects: that the backup's manifest referred to; of a withdrawn one, those that it had written.
        reason: why retention dropped it, or who asked.
        started_at: the backup's start; with the next two, what its pruned event is made of.
        retention_days: days that the backup was to be kept.
        manifest_sha256: of the manifest's bytes; None where there is no manifest.
    """

    backup_id: UUID
    cause: Cause
    scope: Literal["full", "incremental"]
    objects: tuple[Doomed, ...]
    reason: str
    started_at: datetime
    retention_days: Annotated[Count, Field(lt=1 << 16)]
    manifest_sha256: Sha256 | None


class Plan(Frozen):
    """`pruned/<backup-id>.plan.json`: which of the tombstone's objects go. Decided once, whoever decides it.

    Attributes:
        keys: no manifest that counts refers to them, and no other plan has them.
        bytes: the sizes of those of them that the ledger holds, and the amount of the pruned event.
    """

    backup_id: UUID
    keys: tuple[Key, ...]
    bytes: Count


class Done(Frozen):
    """`pruned/<backup-id>.done.json`: the manifest and the objects of the plan are gone; fields as of the plan."""

    backup_id: UUID
    keys: tuple[Key, ...]
    bytes: Count


def has_event(cause: Cause, amount: int) -> bool:
    """Whether a pruned event says so: bytes that were never recorded as backed up are not recorded as gone."""
    return cause == "retention" or amount > 0


def parse(kind: type[T], data: bytes, *, source: str) -> T:
    """A tombstone, a plan or a done, from its bytes; strict, because whoever wrote them is not trusted.

    Raises:
        IntegrityError: the bytes are not one; `source` is named.
    """
    document = unseal(data)
    if document is None:
        raise IntegrityError(f"{source} is damaged: the checksum at its end is not that of its bytes")
    try:
        return kind.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise IntegrityError(f"{source} is damaged: {where}: {first['msg']}") from error
