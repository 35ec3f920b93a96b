"""Tombstones: what says that a backup is being pruned, and what says that it is gone."""

from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

from pydantic import ValidationError

from duckback.errors import IntegrityError
from duckback.model.catalog import Frozen
from duckback.model.manifest import Count, Sha256

MAX_TOMBSTONE_BYTES = 64 << 20

T = TypeVar("T", bound=Frozen)


class Tombstone(Frozen):
    """`pruned/<backup-id>.json`: a backup is being pruned. It is there before anything goes.

    Attributes:
        objects: keys of the objects that the backup's manifest referred to.
        reason: why retention dropped it, or who asked.
        started_at: the backup's start; with the next two, what its pruned event is made of.
        retention_days: days that the backup was to be kept.
        manifest_sha256: of the manifest's bytes.
    """

    backup_id: UUID
    scope: Literal["full", "incremental"]
    objects: tuple[str, ...]
    reason: str
    started_at: datetime
    retention_days: Count
    manifest_sha256: Sha256


class Done(Frozen):
    """`pruned/<backup-id>.done.json`: the backup is gone, and so are these of its objects.

    Attributes:
        keys: of the objects that went; those that other manifests refer to stayed.
        bytes: the size of these objects, and the amount of the pruned event.
    """

    backup_id: UUID
    keys: tuple[str, ...]
    bytes: Count


def parse(kind: type[T], data: bytes, *, source: str) -> T:
    """A tombstone, or the end of one, from its bytes; strict, because whoever wrote them is not trusted.

    Raises:
        IntegrityError: the bytes are not one; `source` is named.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise IntegrityError(f"{source} is damaged: {where}: {first['msg']}") from error
