"""The Python API: what the command line calls."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from duckback.api.wiring import Wiring
from duckback.audit.view import LedgerView
from duckback.config.load import validated
from duckback.errors import NoSuchBackup, UsageError
from duckback.ledger.base import Ledger
from duckback.ledger.codec import manifest_prefix
from duckback.model.events import EventKind, event_id
from duckback.model.ids import new_id
from duckback.model.progress import Report, unheard
from duckback.model.selection import EVERYTHING, Selection
from duckback.model.unchanged import why_changed
from duckback.repository.finding import find_backup, find_database
from duckback.repository.parent import Parent, find_parent
from duckback.repository.repository import Committed, Repository
from duckback.routes import FULL_EXPORT, INCREMENTAL_EXPORT, RESTORE, VERIFICATION
from duckback.routes.engine import run
from duckback.routes.exchange import BackupExchange, RestoreExchange, Scope, VerificationExchange
from duckback.source.captures import capture_of
from duckback.source.unchanged import look_at
from duckback.store.registry import open_store

if TYPE_CHECKING:
    from duckback.source.capture_connection import Connection
    from duckback.source.metadata import Relation


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Listed:
    """A committed backup, and what this host's ledger knows of its newest verification."""

    committed: Committed
    verified_at: datetime | None
    is_good: bool | None

    @property
    def status(self) -> str:
        """`committed`, `verified` or `failed-verification`."""
        return {None: "committed", True: "verified", False: "failed-verification"}[self.is_good]


class Duckback:
    """Backups of DuckDB databases in one repository.

    Args:
        repo: a directory, or `s3://bucket/prefix`.
        report: hears how far a run is, from any thread.
        clock: now, in UTC.
        options: any of `duckback.config.options.Options` (`state_dir=…`, `threads=…`, `s3={"sse": "none"}`, …).

    Raises:
        UsageError: an address or option that is none.
    """

    def __init__(
        self,
        repo: str | os.PathLike[str],
        *,
        report: Report = unheard,
        clock: Callable[[], datetime] = _utc_now,
        **options: Any,
    ) -> None:
        self._options = validated({**options, "repo": os.fspath(repo)})
        self._report = report
        self._clock = clock
        self._store = open_store(os.fspath(repo), self._options.s3)
        self._wiring = Wiring(self._options, self._store, report, clock)

    def backup(
        self,
        database: "str | os.PathLike[str] | Connection",
        *,
        name: str | None = None,
        scope: Scope | None = None,
        selection: Selection = EVERYTHING,
    ) -> BackupExchange:
        """Take a backup: one snapshot of every table, proven, uploaded, committed and recorded.

        Args:
            database: the path of a database file, whoever has it open; or the connection on which the caller has
                opened one, of which only `cursor()` is used: it, its transaction and its lock stay as they are.
            name: the database's name in the repository; default: the file's stem.
            scope: "full": every row is written; "incremental": what has changed since the last backup, and a full
                only where that cannot be trusted; default: incremental where there is a backup, else full.
            selection: what of the database; the manifest names what it leaves out.

        Returns:
            The exchange as it left the route: ids, sizes, addresses, the manifest, and the seconds of each step.

        Raises:
            NoSuchBackup: an incremental is asked for, and there is no backup.
            DuckbackError: as of `duckback.errors`; no part of the backup is visible then.
        """
        started = self._clock()
        source = Path(database) if isinstance(database, str | os.PathLike) else database
        capture = capture_of(source, self._options.capture, self._wiring.images)
        try:
            repository = Repository.open_or_create(self._store, started)
            wanted = self._name_of_new(name or self._options.name or capture.default_name)
            with self._wiring.ledger() as ledger:
                parent = _parent(repository, wanted, scope, ledger)
                exchange = BackupExchange(
                    database=wanted,
                    start_time=started,
                    backup_id=new_id(started),
                    backup_scope="incremental" if parent.committed else "full",
                    retention=self._options.retention.keep_within,
                    selection=selection,
                    capture=capture,
                    parent=parent.committed,
                    full_because=parent.doubt,
                    notices=(f"a full backup was taken: {parent.doubt}",) if parent.doubt else (),
                )
                route = INCREMENTAL_EXPORT if parent.committed else FULL_EXPORT
                return run(route, exchange, self._wiring.export(exchange, repository, ledger))
        finally:
            capture.release()

    def backups(self, name: str | None = None) -> list[Listed]:
        """Committed backups, oldest first: of the named database, or of all.

        Raises:
            NoRepository: there is none.
            NoSuchBackup: no database of that name.
            IntegrityError: a manifest is damaged or foreign.
        """
        repository = Repository.open(self._store)
        wanted = name or self._options.name
        names = repository.databases() if wanted is None else [find_database(repository, wanted)]
        verifications = self._verifications(repository.id)
        found = [committed for one in names for committed in repository.backups(one)]
        found.sort(key=lambda one: (one.manifest.snapshot_at, one.manifest.backup_id))
        return [Listed(one, *verifications.get(one.manifest.backup_id, (None, None))) for one in found]

    def find(self, backup: str, name: str | None = None) -> Listed:
        """One backup of a database: by its id, the beginning of it, or "latest".

        Raises:
            NoSuchBackup: none, or more than one, is meant.
        """
        repository = Repository.open(self._store)
        database = find_database(repository, name or self._options.name)
        if backup == "latest":
            return self.backups(database)[-1]
        committed = repository.read(database, repository.resolve(database, backup))
        known = self._verifications(repository.id).get(committed.manifest.backup_id, (None, None))
        return Listed(committed, *known)

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
        trust_ddl: bool = False,
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
            trust_ddl: create views and macros that read files or the network too, unconfined.

        Returns:
            The exchange as it left the route. `deferred` are the objects that could not be created; their text is in
            `TARGET.deferred.sql`. Tables never are among them.

        Raises:
            DuckbackError: as of `duckback.errors`; the target is as it was then.
        """
        repository = Repository.open(self._store)
        database = find_database(repository, name or self._options.name)
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
            trust_ddl=trust_ddl,
        )
        with self._wiring.ledger() as ledger:
            return run(RESTORE, exchange, self._wiring.restore(exchange, repository, ledger))

    def verify(self, backup: str | None = None, *, name: str | None = None) -> VerificationExchange:
        """Compare what the store holds with the manifests, of one backup or of all of a database.

        Returns:
            The exchange, whose `results` say what is wrong; problems are not raised.
        """
        repository = Repository.open(self._store)
        database = find_database(repository, name or self._options.name)
        started = self._clock()
        exchange = VerificationExchange(
            database=database,
            start_time=started,
            run_id=new_id(started),
            wanted=find_backup(repository, database, backup),
        )
        with self._wiring.ledger() as ledger:
            return run(VERIFICATION, exchange, self._wiring.verification(repository, ledger))

    @property
    def ledger(self) -> LedgerView:
        """The events of backups: listed, shown, reconciled, delivered."""
        return LedgerView(self._options)

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

    def _verifications(self, repository_id: UUID) -> dict[UUID, tuple[datetime, bool]]:
        with self._wiring.ledger() as ledger:
            entries = ledger.entries(repository_id=repository_id, kind=EventKind.VERIFICATION)
            return {
                UUID(entry.details["backup_id"]): (entry.recorded_at, entry.details["result"] == "good")
                for entry in entries
            }

    def _name_of_new(self, name: str | None) -> str:
        if not name:
            raise UsageError("the database has no name", hint="It has no file to take one from: give --name.")
        return name


def _parent(repository: Repository, database: str, scope: Scope | None, ledger: Ledger) -> Parent:
    if scope == "full":
        return Parent(None)

    def recorded(backup_id: UUID) -> str | None:
        entry = ledger.entry(event_id(EventKind.COMPLETED, backup_id).int)
        return manifest_prefix(entry.transfer) if entry is not None else None

    parent = find_parent(repository, database, recorded)
    if scope == "incremental" and parent.committed is None and parent.doubt is None:
        raise NoSuchBackup(
            f"there is no backup of {database!r} that an incremental could be the difference to",
            hint="Take a full one first: --full, or neither option.",
        )
    return parent
