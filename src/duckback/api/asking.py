"""The part of the Python API that asks backups in place."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from duckback.api.keeping import Keeping
from duckback.model.ids import new_id
from duckback.model.manifest import Manifest
from duckback.model.row_changes import RowChange, row_changes
from duckback.processors.prepare_staging import prepare
from duckback.repository.choosing import choose, identify
from duckback.repository.finding import find_backup
from duckback.repository.in_place import ObjectsInPlace
from duckback.repository.objects import ObjectFiles
from duckback.source.child import run_job
from duckback.source.jobs import CompareRows, QueryBackup, StoreAddress, WriteScript
from duckback.source.outcome import Form, Outcome
from duckback.source.scratch import Scratch


@dataclass(frozen=True)
class Answer:
    """The answer to a query, in a file that goes when this is closed; a context manager.

    Attributes:
        manifest: of the backup that was asked.
        outcome: names and types of the columns.
        path: the file, in the form that was asked for.
    """

    manifest: Manifest
    outcome: Outcome
    path: Path
    _scratch: Scratch

    def rows(self) -> Iterator[list[Any]]:
        """The rows of a file of form "rows", one by one: numbers up to 32 bits as such, all else as text."""
        with self.path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def close(self) -> None:
        """Remove the file; a second call does nothing."""
        self._scratch.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Asking(Keeping):
    """What backups are asked; see `Duckback`."""

    def query(
        self,
        sql: str,
        *,
        name: str | None = None,
        backup: str | None = None,
        at: datetime | None = None,
        form: Form = "rows",
        trust_repository: bool = False,
    ) -> Answer:
        """Run one SELECT on a backup as it lies in the repository.

        Every schema, table, view and macro is called as in the source, and every value is of its type there. Of the
        objects, only the columns and row groups that the query needs are read: on S3 by ranges. So no object is
        hashed; on S3 its size and the store's checksum of it are compared with the manifest's, in a local directory
        its size. A `verify` reads and hashes all of it.

        Args:
            sql: the query; it can read the backup alone, and change nothing.
            name: the database's name; needed where the repository has several.
            backup: an id (or its beginning), "latest" or None for the newest.
            at: the newest backup that shows no later moment than this (aware).
            form: of the answer's file.
            trust_repository: ask it though this host's ledger, or a proof in the repository, contradicts it.

        Raises:
            UsageError: the query is not one SELECT, or does not fit the backup.
            DuckbackError: as of `duckback.errors`.
        """
        manifest = self._chosen(name, backup, at, trust_repository=trust_repository)
        scratch = self._scratch()
        try:
            folder = scratch.path / "answer"
            folder.mkdir()
            objects = ObjectsInPlace(self._store, manifest, folder / "objects")
            job = QueryBackup(
                manifest=manifest,
                sql=sql,
                form=form,
                answer=folder / f"answer.{form}",
                local=objects.local,
                store=StoreAddress(url=self._store.url, s3=self._options.s3),
                resources=self._wiring.limits.at(scratch.path / "spill"),
            )
            outcome = Outcome.model_validate_json(run_job(job, self._report, objects.open))
        except BaseException:
            scratch.remove()
            raise
        return Answer(manifest, outcome, job.answer, scratch)

    def sql_script(
        self,
        *,
        name: str | None = None,
        backup: str | None = None,
        at: datetime | None = None,
        trust_repository: bool = False,
    ) -> str:
        """The statements that open a backup in a plain DuckDB, without Duckback, as `query` does; no object is read.

        Args, Raises:
            As of `query`.
        """
        manifest = self._chosen(name, backup, at, trust_repository=trust_repository)
        with self._scratch() as scratch:
            job = WriteScript(
                manifest=manifest,
                places=ObjectsInPlace(self._store, manifest, scratch.path).addresses,
                resources=self._wiring.limits.at(scratch.path / "spill"),
            )
            return run_job(job, self._report)

    def row_changes(self, before: str, now: str = "latest", *, name: str | None = None) -> tuple[RowChange, ...]:
        """How many rows of each table were added and removed from one backup to another, exactly.

        Where the manifests do not tell, the objects of the tables concerned are fetched, hashed and compared.

        Args:
            before: a backup's id, the beginning of one, or "latest".
            now: the other, likewise; it may be the older one.
            name: the database's name; needed where the repository has several.

        Returns:
            A change a table that one of them has; those that stay unknown give the reason.

        Raises:
            NoSuchBackup: one of them is not there.
            DuckbackError: as of `duckback.errors`.
        """
        repository, database = self._opened(name)
        old, new = (repository.read(database, identify(repository, database, one)) for one in (before, now))
        changes = row_changes(old.manifest, old.sha256, new.manifest, new.sha256)
        labels = {change.table for change in changes if change.is_open}
        if not labels:
            return changes
        narrowed = tuple(_only(one.manifest, labels) for one in (old, new))
        files = ObjectFiles(self._store, self._wiring.copies(repository, database))
        with self._scratch() as scratch:
            refs = [ref for manifest in narrowed for ref in manifest.objects]
            job = CompareRows(
                before=narrowed[0],
                now=narrowed[1],
                files=files.get(refs, scratch.path / "objects", lambda _: None),
                resources=self._wiring.limits.at(scratch.path / "spill"),
            )
            found: dict[str, tuple[int, int]] = json.loads(run_job(job, self._report))
        return tuple(_known(change, found) for change in changes)

    def _chosen(self, name: str | None, backup: str | None, at: datetime | None, *, trust_repository: bool) -> Manifest:
        with self._wiring.ledger() as ledger:
            repository, database = self._opened(name)
            return choose(
                repository,
                database,
                self._wiring.records(repository, ledger, database),
                wanted=find_backup(repository, database, backup),
                at=at,
                trust_repository=trust_repository,
            ).manifest

    def _scratch(self) -> Scratch:
        return prepare(self._wiring.staging, new_id(self._clock()))


def _only(manifest: Manifest, labels: set[str]) -> Manifest:
    tables = tuple(table for table in manifest.catalog.tables if table.label in labels)
    return manifest.with_catalog(manifest.catalog.model_copy(update={"tables": tables}))


def _known(change: RowChange, found: Mapping[str, tuple[int, int]]) -> RowChange:
    if not change.is_open:
        return change
    added, removed = found[change.table]
    return change.found(added, removed, "objects")
