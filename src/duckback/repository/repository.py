"""The repository: what it is, and its backups as the format has them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import BaseModel, ValidationError

from duckback.errors import (
    AlreadyExists,
    IntegrityError,
    NoRepository,
    NoSuchBackup,
    NotFound,
)
from duckback.model.catalog import Frozen
from duckback.model.manifest import FORMAT, MAX_MANIFEST_BYTES, Manifest, decode
from duckback.model.seal import sealed, unseal
from duckback.repository import layout
from duckback.repository.stones import each, tombstoned
from duckback.store.base import Store

_MAX_DESCRIPTOR_BYTES = 1 << 16
_SHOWN_FOLDERS = 10


class Descriptor(Frozen):
    """`repository.json`: the format and the identity of a repository."""

    format: str
    repository_id: UUID
    created_at: datetime


class _Format(BaseModel):
    format: str


@dataclass(frozen=True)
class Committed:
    """A committed backup: its manifest and the SHA-256 of the manifest's bytes."""

    manifest: Manifest
    sha256: str


class Repository:
    """One repository on a store.

    Attributes:
        store: where its bytes are.
        id: fixed when it was made; every manifest carries it.
    """

    def __init__(self, store: Store, descriptor: Descriptor) -> None:
        self.store = store
        self.id = descriptor.repository_id

    @classmethod
    def open(cls, store: Store) -> "Repository":
        """The repository at a store.

        Raises:
            NoRepository: there is none.
            IntegrityError: its descriptor is damaged, or of another format.
        """
        try:
            data = store.get(layout.REPOSITORY_KEY, limit=_MAX_DESCRIPTOR_BYTES)
        except NotFound as error:
            raise NoRepository(
                f"there is no repository at {store.url}",
                hint=_what_is_there(store),
            ) from error
        return cls(store, _descriptor(data, store))

    @classmethod
    def open_or_create(cls, store: Store, now: datetime) -> "Repository":
        """The repository at a store, made if there is none; of concurrent makers one wins and all get its."""
        try:
            return cls.open(store)
        except NoRepository:
            descriptor = Descriptor(format=FORMAT, repository_id=uuid4(), created_at=now)
        try:
            store.create(layout.REPOSITORY_KEY, sealed(descriptor))
        except AlreadyExists:
            return cls.open(store)
        return cls(store, descriptor)

    def databases(self) -> list[str]:
        """Names of the databases that have committed backups here, sorted."""
        names = (self._name_behind(folder) for folder in self.store.folders(""))
        return sorted(name for name in names if name is not None)

    def _name_behind(self, folder: str) -> str | None:
        newest = max((listed.key for listed in self.store.list(f"{folder}/manifests/")), default=None)
        if newest is None:
            return None
        name = layout.decode_name(folder)
        if name is not None:
            return name
        data = self.store.get(newest, limit=MAX_MANIFEST_BYTES)
        return decode(data, source=self.store.uri(newest)).database

    def is_committed(self, database: str, backup_id: UUID) -> bool:
        """Whether a backup has a manifest."""
        key = layout.manifest_key(database, backup_id)
        return any(listed.key == key for listed in self.store.list(key))

    def backup_ids(self, database: str) -> list[UUID]:
        """Ids of the backups of a database that have a manifest, in the order of their making."""
        keys = (listed.key for listed in self.store.list(layout.manifest_prefix(database)))
        return sorted(backup_id for key in keys if (backup_id := layout.backup_of_manifest(key)) is not None)

    def resolve(self, database: str, beginning: str) -> UUID:
        """The backup whose id begins so.

        Raises:
            NoSuchBackup: none does, or more than one.
        """
        meant = [one for one in self.backup_ids(database) if str(one).startswith(beginning.lower())]
        if len(meant) != 1 or not beginning:
            many = "more than one backup begins" if meant else "there is no backup that begins"
            raise NoSuchBackup(f"{many} with {beginning!r}", hint="`duckback list` shows the ids.")
        return meant[0]

    def backups(self, database: str) -> list[Committed]:
        """Every committed backup of a database that is not being pruned, by the moment that it shows, then by id.

        Raises:
            IntegrityError: a manifest is damaged or foreign; named.
        """
        pruned = tombstoned(self.store, database)
        found = each(lambda one: self._read_if_there(database, one), self.backup_ids(database))
        kept = [one for one in found if one is not None and one.manifest.backup_id not in pruned]
        return sorted(kept, key=lambda one: (one.manifest.snapshot_at, one.manifest.backup_id))

    def _read_if_there(self, database: str, backup_id: UUID) -> Committed | None:
        try:
            return self.read(database, backup_id)
        except NoSuchBackup:
            return None  # pruned since the listing

    def read(self, database: str, backup_id: UUID) -> Committed:
        """One committed backup.

        Raises:
            NoSuchBackup: it has no manifest.
            IntegrityError: its manifest is damaged, or belongs elsewhere.
        """
        key = layout.manifest_key(database, backup_id)
        try:
            data = self.store.get(key, limit=MAX_MANIFEST_BYTES)
        except NotFound as error:
            raise NoSuchBackup(
                f"there is no backup {backup_id} of {database!r} in {self.store.url}",
                hint="`duckback list` shows those that are there.",
            ) from error
        uri = self.store.uri(key)
        manifest = decode(data, source=uri)
        self._refuse_foreign(manifest, database, backup_id, uri)
        return Committed(manifest, hashlib.sha256(data).hexdigest())

    def _refuse_foreign(self, manifest: Manifest, database: str, backup_id: UUID, uri: str) -> None:
        wrong = [
            what
            for what, is_wrong in {
                "another repository": manifest.repository_id != self.id,
                "another database": manifest.database != database,
                "another backup": manifest.backup_id != backup_id,
            }.items()
            if is_wrong
        ]
        outside = list(self._outside(manifest))
        if wrong or outside:
            what = f"is the manifest of {wrong[0]}" if wrong else f"refers to {outside[0]}, outside its database"
            raise IntegrityError(f"{uri} {what}", hint="Somebody put it there: do not restore from it.")

    def _outside(self, manifest: Manifest) -> Iterable[str]:
        prefix = layout.data_prefix(manifest.database)
        return (ref.key for ref in manifest.objects if not ref.key.startswith(prefix))


def _descriptor(data: bytes, store: Store) -> Descriptor:
    document = unseal(data)
    try:
        # What another format has at its end, if anything, only its own reader knows.
        found = _Format.model_validate_json(data).format if document is None else FORMAT
        descriptor = None if document is None else Descriptor.model_validate_json(document)
    except ValidationError as error:
        raise IntegrityError(f"{layout.REPOSITORY_KEY} at {store.url} is damaged") from error
    if descriptor is not None:
        found = descriptor.format
    if found != FORMAT:
        raise IntegrityError(
            f"the repository at {store.url} has format {found!r}, and this Duckback reads {FORMAT!r}",
            hint="Use the Duckback that wrote it, or a newer one.",
        )
    if descriptor is None:
        raise IntegrityError(
            f"{layout.REPOSITORY_KEY} at {store.url} is damaged: the checksum at its end is not that of its bytes"
        )
    return descriptor


def _what_is_there(store: Store) -> str:
    folders = store.folders("")[:_SHOWN_FOLDERS]
    if not folders:
        return "There is nothing at all. Check the address; `duckback backup` makes a repository where there is none."
    return f"Check the address. What is there: {', '.join(folders)}."
