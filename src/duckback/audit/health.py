"""`check`: can backups be taken, and are they as new, verified and restorable as the schedule wants."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from duckback.audit.judgements import newest_backup, object_lock, tested_restore, undelivered, verification
from duckback.audit.past import Past, read_past
from duckback.audit.room import room
from duckback.audit.writable import writable
from duckback.config.options import Options, Retention
from duckback.errors import DuckbackError, NoRepository, UsageError
from duckback.ledger.deliveries import Backlog
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.outbox import Outbox
from duckback.model.checks import Checked, Status
from duckback.model.manifest import Manifest
from duckback.model.schedule import Task
from duckback.repository.repository import Repository
from duckback.store.registry import open_store


class HealthView:
    """What has been done for a database, and whether that is enough.

    Args:
        options: which repository, which schedule.
        clock: now, in UTC.
    """

    def __init__(self, options: Options, clock: Callable[[], datetime]) -> None:
        if options.repo is None:
            raise UsageError("no repository is given", hint="Give --repo: a directory, or s3://bucket/prefix.")
        self._options = options
        self._clock = clock
        self._store = open_store(options.repo, options.s3)

    def past(self, name: str) -> Past:
        """What has been done for the database of that name; nothing, where there is no repository.

        Raises:
            StoreError: the store does not answer.
            LedgerError: this host's ledger cannot be read.
        """
        with _ledger(self._options) as ledger:
            return read_past(self._store, ledger, name, self._options.ledger.remote)

    def check(self, database: Path | None = None, *, name: str | None = None) -> list[Checked]:
        """Do every check, whatever the others come to; none of them raises what it finds.

        Args:
            database: the file, for what is to be known of it: whether it is there, and how much room it needs.
            name: the database's name in the repository; default: the file's stem, else all that are there.
        """
        wanted = name or self._options.name or (database.absolute().stem if database is not None else None)
        now = self._clock()
        results = [*_source(database), *_guarded("repository", lambda: writable(self._store, self._options.s3))]
        results += _guarded("ledger", lambda: [undelivered(_backlog(self._options), now)])
        try:
            names = [wanted] if wanted is not None else Repository.open(self._store).databases()
        except NoRepository as error:
            return [*results, Checked("newest backup", Status.CRITICAL, error.message)]
        except DuckbackError as error:
            return [*results, Checked("newest backup", Status.UNKNOWN, error.message)]
        if not names:
            results.append(Checked("newest backup", Status.CRITICAL, f"there is no backup in {self._store.url}"))
        for one in names:
            found = list(self._of_database(one, database, now))
            results += [replace(each, name=f"{one}: {each.name}") for each in found] if len(names) > 1 else found
        return results

    def _of_database(self, name: str, path: Path | None, now: datetime) -> Iterator[Checked]:
        try:
            past: Past | None = self.past(name)
        except DuckbackError as error:
            # Whether there is one that is new enough is not known; why it is not, others say too.
            yield Checked("newest backup", Status.UNKNOWN, error.message)
            past = None
        if past is not None:
            yield from _age(self._options, past, now)
        newest = past.newest.manifest if past is not None and past.newest is not None else None
        yield from _locked(self._options.retention, newest)
        yield from _guarded("disk", lambda: room(self._options, path, newest))


def _source(path: Path | None) -> Iterator[Checked]:
    if path is None:
        return
    try:
        with path.open("rb"):
            yield Checked("database", Status.OK, f"{path} can be read")
    except OSError as error:
        yield Checked("database", Status.CRITICAL, f"{path} cannot be read: {error.strerror}")


def _age(options: Options, past: Past, now: datetime) -> Iterator[Checked]:
    schedule = options.schedule
    manifest = past.newest.manifest if past.newest is not None else None
    yield newest_backup(past.history, manifest.snapshot_at if manifest else None, schedule.rpo_at(now), now)
    for message in past.unreadable:
        yield Checked("manifests", Status.CRITICAL, message)
    yield verification(past.history, past.oldest_unverified_at, past.bad, schedule.longest(Task.VERIFY, now), now)
    yield tested_restore(past.history, past.first_at, past.restored_in, schedule.longest(Task.TEST_RESTORE, now), now)


def _locked(retention: Retention, newest: Manifest | None) -> Iterator[Checked]:
    lock = retention.lock
    judged = object_lock(lock.length if lock else None, newest.locked_for if newest else None, retention.policy.reach)
    if judged is not None:
        yield judged


def _backlog(options: Options) -> Backlog:
    with _ledger(options) as ledger:
        return Outbox(ledger, options.ledger.remote).backlog()


def _ledger(options: Options) -> EmbeddedLedger:
    return EmbeddedLedger(options.state_dir / "ledger.sqlite", options.ledger.number)


def _guarded(name: str, check: Callable[[], list[Checked]]) -> list[Checked]:
    try:
        return check()
    except DuckbackError as error:
        return [Checked(name, Status.CRITICAL, error.message)]
    except OSError as error:
        return [Checked(name, Status.UNKNOWN, f"the operating system refused: {error}")]
