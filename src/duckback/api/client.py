"""The Python API: what the command line calls."""

import contextlib
import os
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from duckback.api.asking import Asking
from duckback.api.listed import Damaged, Listed, Listing, Shown
from duckback.api.parents import parent_of
from duckback.api.test_restores import restore_all
from duckback.audit.health import HealthView
from duckback.audit.view import LedgerView
from duckback.errors import UsageError, Withdrawn
from duckback.hooks import Telling
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.records import known, verdicts
from duckback.model.ids import new_id
from duckback.model.proof import Level, Standing
from duckback.model.recorded import NOTHING
from duckback.model.selection import EVERYTHING, Selection
from duckback.model.summary import Summary
from duckback.model.unchanged import why_changed
from duckback.repository.choosing import identify
from duckback.repository.finding import find_backup, find_database
from duckback.repository.pins import read_pins
from duckback.repository.proofs import proofs, standings
from duckback.repository.repository import Repository
from duckback.repository.stones import look, tombstoned
from duckback.routes import FULL_EXPORT, INCREMENTAL_EXPORT, RESTORE, TEST_RESTORE, VERIFICATION
from duckback.routes.deadline import Deadline
from duckback.routes.engine import run
from duckback.routes.exchange import BackupExchange, RestoreExchange, Scope, VerificationExchange
from duckback.source.capture import Capture
from duckback.source.captures import capture_of
from duckback.source.unchanged import look_at

if TYPE_CHECKING:
    from duckback.source.capture_connection import Connection
    from duckback.source.metadata import Relation

_ATTEMPTS = 3
"""Backups that may be withdrawn in one call, because what they refer to is being pruned, before that is an error."""


class Duckback(Asking):
    """Backups of DuckDB databases in one repository.

    Args:
        repo: a directory, or `s3://bucket/prefix`.
        report: hears how far a run is, from any thread.
        clock: now, in UTC.
        options: any of `duckback.config.options.Options` (`state_dir=…`, `threads=…`, `s3={"sse": "none"}`, …).

    Raises:
        UsageError: an address or option that is none.
    """

    def backup(
        self,
        database: "str | os.PathLike[str] | Connection",
        *,
        name: str | None = None,
        scope: Scope | None = None,
        selection: Selection = EVERYTHING,
        trust_repository: bool = False,
    ) -> BackupExchange:
        """Take a backup: one snapshot of every table, proven, uploaded, committed and recorded.

        Args:
            database: the path of a database file, whoever has it open; or the connection on which the caller has
                opened one, of which only `cursor()` is used: it, its transaction and its lock stay as they are.
            name: the database's name in the repository; default: the file's stem.
            scope: "full": every row is written; "incremental": what has changed since the last backup, and a full
                only where that cannot be trusted; default: incremental where there is a backup, else full.
            selection: what of the database; the manifest names what it leaves out.
            trust_repository: rely on the newest backup there though this host's ledger contradicts it.

        Returns:
            The exchange as it left the route: ids, sizes, addresses, the manifest, and the seconds of each step.

        Raises:
            NoSuchBackup: an incremental is asked for, and there is no backup.
            DuckbackError: as of `duckback.errors`; no part of the backup is visible then.
        """
        route = INCREMENTAL_EXPORT if scope == "incremental" else FULL_EXPORT
        stem = Path(database).stem if isinstance(database, str | os.PathLike) else None
        with self._telling(route, name or self._options.name or stem, self._clock()) as telling:
            take = partial(self._backup, telling, database, name=name, scope=scope, selection=selection)
            return telling.ends(take(trust_repository=trust_repository))

    def _backup(
        self,
        telling: Telling,
        database: "str | os.PathLike[str] | Connection",
        *,
        name: str | None,
        scope: Scope | None,
        selection: Selection,
        trust_repository: bool,
    ) -> BackupExchange:
        started = self._clock()
        source = Path(database) if isinstance(database, str | os.PathLike) else database
        capture = partial(capture_of, source, self._options.capture, self._wiring.images)
        wanted = self._name_of_new(name or self._options.name or _default_name(capture()))
        repository = Repository.open_or_create(self._store, started)
        with self._wiring.ledger() as ledger, self._wiring.leases(wanted).hold("backup"):
            take = partial(
                self._take,
                telling,
                repository,
                ledger,
                database=wanted,
                scope=scope,
                selection=selection,
                trust_repository=trust_repository,
            )
            for _ in range(_ATTEMPTS - 1):
                with contextlib.suppress(Withdrawn):
                    return take(capture(), started)
                started = self._clock()
            return take(capture(), started)

    def _take(
        self,
        telling: Telling,
        repository: Repository,
        ledger: EmbeddedLedger,
        capture: Capture,
        started: datetime,
        *,
        database: str,
        scope: Scope | None,
        selection: Selection,
        trust_repository: bool,
    ) -> BackupExchange:
        try:
            stones = look(self._store, database)
            witness = NOTHING if trust_repository else known(ledger, repository.id, database)
            parent = parent_of(repository, database, scope, stones.tombstoned, witness)
            exchange = BackupExchange(
                database=database,
                start_time=started,
                backup_id=new_id(started),
                backup_scope="incremental" if parent.committed else "full",
                retention=self._options.retention.keep_within,
                selection=selection,
                capture=capture,
                parent=parent.committed,
                gone=stones.done,
                full_because=parent.doubt,
                notices=(f"a full backup was taken: {parent.doubt}",) if parent.doubt else (),
            )
            route = INCREMENTAL_EXPORT if parent.committed else FULL_EXPORT
            telling.begins(route.name, database)
            return run(route, exchange, self._wiring.export(exchange, repository, ledger))
        finally:
            capture.release()

    def backups(self, name: str | None = None) -> list[Listed]:
        """Committed backups, oldest first: of the named database, or of all.

        Raises:
            IntegrityError: a manifest is damaged or foreign; `listing` leaves it out.
            DuckbackError: as of `listing`.
        """
        listing = self.listing(name)
        for one in listing.damaged:
            raise one.error
        return listing.backups

    def listing(self, name: str | None = None) -> Listing:
        """Committed backups: of the named database, or of all; and those whose manifests cannot be read.

        Raises:
            NoRepository: there is none.
            NoSuchBackup: no database of that name.
        """
        repository = Repository.open(self._store)
        wanted = name or self._options.name
        names = repository.databases() if wanted is None else [find_database(repository, wanted)]
        found = [self._listed(repository, one) for one in names]
        backups = [listed for one in found for listed in one.backups]
        return Listing(
            sorted(backups, key=lambda one: (one.summary.snapshot_at, one.summary.backup_id)),
            sorted((damaged for one in found for damaged in one.damaged), key=lambda one: one.backup_id),
        )

    def _listed(self, repository: Repository, database: str) -> Listing:
        judged = self._known(repository, database)
        found, damaged = self._wiring.summaries(repository).survey(database)
        pruned = tombstoned(self._store, database)
        pins = read_pins(self._store, database)
        return Listing(
            [
                Listed(one.summary, pins.get(backup_id), judged.get(backup_id))
                for backup_id, one in found.items()
                if backup_id not in pruned
            ],
            [Damaged(one, database, error) for one, error in damaged.items() if one not in pruned],
        )

    def find(self, backup: str, name: str | None = None) -> Shown:
        """One backup of a database: by its id, the beginning of it, or "latest".

        Raises:
            NoSuchBackup: none, or more than one, is meant.
        """
        repository, database = self._opened(name)
        backup_id = identify(repository, database, backup)
        committed = repository.read(database, backup_id)
        standing = self._known(repository, database).get(backup_id)
        pin = read_pins(self._store, database).get(backup_id)
        return Shown(Summary.of(committed.manifest, committed.sha256), pin, standing, committed)

    def why_changed(
        self, database: str | os.PathLike[str], backup: str = "latest", *, name: str | None = None
    ) -> str | None:
        """Whether a database file still is what a backup shows, at the price of a look at its header and log.

        Args:
            database: the file.
            backup: an id, the beginning of one, or "latest".
            name: the database's name in the repository; default: the file's stem.

        Returns:
            Why its rows may be others by now; None if they cannot.

        Raises:
            NoSuchBackup: there is none to compare with.
            SourceError: the file cannot be looked at.
        """
        path = Path(database).absolute()
        then = self.find(backup, name or self._options.name or path.stem).committed.manifest.file
        if then is None:
            return "the backup was taken of a database in memory"
        return why_changed(then, look_at(path, self._report))

    def restore(
        self,
        target: str | os.PathLike[str],
        *,
        name: str | None = None,
        backup: str | None = None,
        at: datetime | None = None,
        force: bool = False,
        storage_version: str | None = None,
        selection: Selection = EVERYTHING,
        where: str | None = None,
        trust_ddl: bool = False,
        trust_repository: bool = False,
    ) -> RestoreExchange:
        """Make a database file from a backup, prove it, and only then give it the target's name.

        Args:
            target: the file; must not exist, nor its WAL.
            name: the database's name; needed where the repository has several.
            backup: an id (or its beginning), "latest" or None for the newest.
            at: the newest backup that shows no later moment than this (aware).
            force: move an existing target to `TARGET.before-<run id>` first.
            storage_version: of the new file, such as "v1.5.0"; default: the source's.
            selection: what of the backup.
            where: of the tables that the selection names, only the rows for which this SQL condition on their columns
                holds; times without a zone are in UTC. None: all rows.
            trust_ddl: create views and macros that read files or the network too, unconfined.
            trust_repository: restore though this host's ledger, or a proof in the repository, contradicts it.

        Returns:
            The exchange as it left the route. `deferred` are the objects that could not be created; their text is in
            `TARGET.deferred.sql`. Tables never are among them.

        Raises:
            DuckbackError: as of `duckback.errors`; the target is as it was then.
        """
        with self._telling(RESTORE, name, self._clock()) as telling, self._wiring.ledger() as ledger:
            repository, database = self._opened(name)
            telling.begins(RESTORE.name, database)
            started = self._clock()
            exchange = RestoreExchange(
                database=database,
                start_time=started,
                run_id=new_id(started),
                wanted=find_backup(repository, database, backup),
                at=at,
                target=Path(target).absolute(),
                force=force,
                storage_version=storage_version,
                selection=selection,
                where=where,
                trust_ddl=trust_ddl,
                trust_repository=trust_repository,
            )
            return telling.ends(run(RESTORE, exchange, self._wiring.restore(exchange, repository, ledger)))

    def verify(
        self,
        backup: str | None = None,
        *,
        name: str | None = None,
        level: Level = "objects",
        max_duration: timedelta | None = None,
    ) -> VerificationExchange:
        """Prove one backup, or all of a database, again, from what the store holds.

        Args:
            backup: an id, the beginning of one, or "latest"; None: all.
            name: the database's name; needed where the repository has several.
            level: "objects": each is there, with its size and checksum as the store answers; "data": every byte is
                read, every row unpacked and hashed; "restore": each is restored into a scratch place.
            max_duration: after which no more is begun; what was not reached is told.

        Returns:
            The exchange, whose `results` say what is wrong; problems are not raised.

        Raises:
            IntegrityError: which backup is the latest cannot be said, or this host's ledger knows of a newer one.
            DuckbackError: the store, this machine or the call keep it from finding out.
        """
        route = TEST_RESTORE if level == "restore" else VERIFICATION
        with self._telling(route, name, self._clock()) as telling, self._wiring.ledger() as ledger:
            repository, database = self._opened(name)
            telling.begins(route.name, database)
            started = self._clock()
            exchange = VerificationExchange(
                database=database,
                start_time=started,
                run_id=new_id(started),
                wanted=self._to_verify(repository, ledger, database, backup),
                level=level,
                deadline=Deadline(max_duration),
            )
            if level == "restore":
                return telling.ends(restore_all(self._wiring, repository, ledger, exchange))
            return telling.ends(run(VERIFICATION, exchange, self._wiring.verification(exchange, repository, ledger)))

    def test_restore(self, backup: str | None = None, *, name: str | None = None) -> VerificationExchange:
        """Restore one backup, the newest by default, into a scratch place, compare it with its manifest, remove it.

        Returns, Raises:
            As of `verify`.
        """
        return self.verify(backup or "latest", name=name, level="restore")

    @property
    def ledger(self) -> LedgerView:
        """The events of backups: listed, shown, reconciled, delivered."""
        return LedgerView(self._options)

    @property
    def health(self) -> HealthView:
        """What has been done for a database, and whether that is enough: `check`."""
        return HealthView(self._options, self._clock)

    def backup_metadata(self, sql: str = "FROM backup_metadata", *, name: str | None = None) -> "Relation":
        """The table `backup_metadata`, one row a backup, failed runs included, as a DuckDB relation.

        Args:
            sql: a query of it; its columns are those of `duckback.ledger.metadata.BackupMetadata`, times in UTC.
            name: the database's name; default: all of the repository.

        Raises:
            UsageError: DuckDB does not accept the query.
            DuckbackError: the repository or the ledger cannot be read.
        """
        return self.ledger.query(sql, name)

    def _known(self, repository: Repository, database: str) -> dict[UUID, Standing]:
        with self._wiring.ledger() as ledger:
            return standings(proofs(repository, database), verdicts(ledger, repository.id, database))

    def _to_verify(
        self, repository: Repository, ledger: EmbeddedLedger, database: str, backup: str | None
    ) -> UUID | None:
        if backup is None:
            return None
        return identify(repository, database, backup, known(ledger, repository.id, database))

    def _name_of_new(self, name: str | None) -> str:
        if not name:
            raise UsageError("the database has no name", hint="It has no file to take one from: give --name.")
        return name


def _default_name(capture: Capture) -> str | None:
    try:
        return capture.default_name
    finally:
        capture.release()
