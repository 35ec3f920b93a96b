"""The part of the Python API that is about keeping and removing backups."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from duckback.api.wiring import Wiring
from duckback.config.load import validated
from duckback.errors import UsageError
from duckback.hooks import Hooks, Telling, Told, run_id_of
from duckback.model.lease import LEASE_KINDS
from duckback.model.pin import MAX_REASON, Pin
from duckback.model.progress import Report, unheard
from duckback.repository.choosing import identify
from duckback.repository.cleanup import Cleaned
from duckback.repository.finding import find_database
from duckback.repository.leases import Lease
from duckback.repository.pins import pin, unpin
from duckback.repository.repository import Repository
from duckback.routes import CLEANUP
from duckback.routes.engine import run
from duckback.routes.exchange import CleanupExchange, required
from duckback.routes.route import Route
from duckback.store.registry import open_store
from duckback.store.throttled import throttled


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Keeping:
    """What retention, pins and leases are asked for; see `Duckback`."""

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
        store = open_store(os.fspath(repo), self._options.s3, self._options.retention.lock)
        self._store = throttled(store, self._options.bandwidth)
        self._wiring = Wiring(self._options, self._store, report, clock)

    def prune(self, *, name: str | None = None, dry_run: bool = False) -> Cleaned:
        """Remove what the retention policy of the options does not keep, and what no backup refers to.

        Args:
            name: the database's name; needed where the repository has several.
            dry_run: decide, and change nothing.

        Returns:
            What was decided for every backup, and what was done; what the store refused to delete is not raised.

        Raises:
            Locked: somebody else prunes it.
            UsageError: the policy would remove every backup.
            DuckbackError: as of `duckback.errors`; what was begun is finished by the next run.
        """
        if dry_run:
            repository, database = self._opened(name)
            with self._wiring.ledger() as ledger:
                return self._wiring.clean_up(repository, ledger, database).preview()
        started = self._clock()
        with self._telling(CLEANUP, name, started) as telling, self._wiring.ledger() as ledger:
            repository, database = self._opened(name)
            telling.begins(CLEANUP.name, database)
            exchange = CleanupExchange(database=database, start_time=started)
            done = run(CLEANUP, exchange, self._wiring.cleanup(repository, ledger, database))
            told = telling.ends(done)
            return replace(required(told.cleaned), said=told.notices)

    def pin(self, backup: str, reason: str, *, name: str | None = None) -> Pin:
        """Keep a backup whatever the retention policy says, until it is unpinned.

        Args:
            backup: an id, the beginning of one, or "latest".
            reason: why; shown wherever it keeps the backup.
            name: the database's name; needed where the repository has several.

        Returns:
            The pin that is there: an older one, where it was pinned already.

        Raises:
            NoSuchBackup: none is meant, or it is being pruned.
            Locked: a prune is under way, which may have decided already.
            UsageError: the reason is empty or too long.
        """
        if not 0 < len(reason) <= MAX_REASON:
            raise UsageError(f"a pin needs a reason of 1 to {MAX_REASON} characters", hint="Give --reason.")
        database, backup_id = self._meant(backup, name)
        with self._wiring.leases(database).hold("prune"):
            return pin(self._store, database, backup_id, reason, self._clock())

    def unpin(self, backup: str, *, name: str | None = None) -> None:
        """Let the retention policy decide on a backup again; that it is not pinned is no error."""
        unpin(self._store, *self._meant(backup, name))

    def _telling(self, route: Route, name: str | None, started: datetime) -> Telling:
        """Who is told of a run of that route, which begins now."""
        about = Told(
            event="start",
            route=route.name,
            database=name or self._options.name or "",
            repository=self._store.url,
            run_id=run_id_of(started),
            at=started,
        )
        return Telling(Hooks(self._options.hooks), about, self._clock)

    def _names(self, name: str | None) -> list[str]:
        # One that is named need not have a backup: its first one may hold a lease.
        wanted = name or self._options.name
        repository = Repository.open(self._store)
        return [wanted] if wanted is not None else repository.databases()

    def _opened(self, name: str | None) -> tuple[Repository, str]:
        """The repository, and the database in it that is meant."""
        repository = Repository.open(self._store)
        return repository, find_database(repository, name or self._options.name)

    def _meant(self, backup: str, name: str | None) -> tuple[str, UUID]:
        repository, database = self._opened(name)
        return database, identify(repository, database, backup)

    def leases(self, *, name: str | None = None) -> list[tuple[str, Lease]]:
        """Who is at work, or was and died: each lease with the database's name; of one database, or of all."""
        names = self._names(name)
        return [(one, lease) for one in names for lease in self._wiring.leases(one).all()]

    def unlock(self, *, name: str | None = None) -> list[tuple[str, Lease]]:
        """Take away every lease of a database, or of all; nobody who is at work loses a backup by that.

        Returns:
            The leases that were there, each with the database's name.
        """
        names = self._names(name)
        found = [(one, self._wiring.leases(one).release(kind)) for one in names for kind in LEASE_KINDS]
        return [(one, lease) for one, lease in found if lease is not None]
