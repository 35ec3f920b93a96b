"""Every manifest of a database as a summary: read once from the store, and from then on from a local cache."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import ValidationError

from duckback.errors import IntegrityError, NoSuchBackup
from duckback.model.catalog import Frozen
from duckback.model.summary import Summary
from duckback.repository import layout
from duckback.repository.cache import Cache
from duckback.repository.repository import Repository
from duckback.repository.stones import each
from duckback.store.base import ListedObject


@dataclass(frozen=True)
class Found:
    """A manifest that is there; `written_at` is the store's clock."""

    summary: Summary
    written_at: datetime


class _Kept(Frozen):
    """A summary in the cache, and the manifest that it is of: whoever replaces that changes one of these."""

    version: Literal[1]
    size: int
    modified: datetime
    summary: Summary


class Summaries:
    """Summaries of what a repository holds.

    Args:
        repository: to read.
        folder: of the cache, one directory a database; None: no cache.
    """

    def __init__(self, repository: Repository, folder: Path | None = None) -> None:
        self._repository = repository
        self._folder = folder

    def read(self, database: str) -> dict[UUID, Found]:
        """As `survey`, where no manifest may be damaged: there is no partial answer.

        Raises:
            IntegrityError: a manifest is damaged or foreign; named.
            StoreError: the store cannot be read.
        """
        found, damaged = self.survey(database)
        for error in damaged.values():
            raise error
        return found

    def survey(self, database: str) -> tuple[dict[UUID, Found], dict[UUID, IntegrityError]]:
        """Every manifest of a database, those of backups that are being pruned included; and what is wrong with some.

        One listing, and one request for each manifest that is not in the cache.

        Raises:
            StoreError: the store cannot be read.
        """
        listed = {
            backup_id: row
            for row in self._repository.store.list(layout.manifest_prefix(database))
            if (backup_id := layout.backup_of_manifest(row.key)) is not None
        }
        cache = self.cache(database, "manifests")
        found = {backup_id: _known(cache.get(f"{backup_id}.json"), row) for backup_id, row in listed.items()}
        missing = [backup_id for backup_id, summary in found.items() if summary is None]
        damaged: dict[UUID, IntegrityError] = {}
        for backup_id, read in zip(missing, each(lambda one: self._fetch(database, one), missing), strict=True):
            if isinstance(read, IntegrityError):
                damaged[backup_id] = read
            elif read is not None:
                found[backup_id] = summary = read
                row = listed[backup_id]
                kept = _Kept(version=1, size=row.size, modified=row.modified, summary=summary)
                cache.put(f"{backup_id}.json", kept.model_dump_json().encode())
        if missing:
            cache.keep_only({f"{backup_id}.json" for backup_id in listed})
        there = {
            backup_id: Found(summary, listed[backup_id].modified)
            for backup_id, summary in found.items()
            if summary is not None
        }
        return there, damaged

    def cache(self, database: str, what: str) -> Cache:
        """The cache of some of a database's immutable objects."""
        return Cache(self._folder / layout.encode_name(database) / what if self._folder else None)

    def _fetch(self, database: str, backup_id: UUID) -> Summary | IntegrityError | None:
        try:
            committed = self._repository.read(database, backup_id)
        except NoSuchBackup:
            return None  # pruned since the listing
        except IntegrityError as error:
            return error
        return Summary.of(committed.manifest, committed.sha256)


def _known(data: bytes | None, row: ListedObject) -> Summary | None:
    if data is None:
        return None
    try:
        kept = _Kept.model_validate_json(data)
    except ValidationError:
        return None  # of another version of Duckback
    return kept.summary if (kept.size, kept.modified) == (row.size, row.modified) else None
