"""The ledger as people and scripts ask it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from duckback.audit.reading import Audited, asked, audit, remains, states_of
from duckback.config.options import Options
from duckback.errors import NoSuchBackup, UsageError
from duckback.ledger.base import Entry, Posted
from duckback.ledger.codec import ids_of
from duckback.ledger.deliveries import Backlog, Delivery
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.evidence import Held
from duckback.ledger.metadata import BackupMetadata, backup_metadata, last_backup_time
from duckback.ledger.outbox import Attempt, Outbox
from duckback.model.events import EventKind, event_id
from duckback.repository.repository import Repository
from duckback.store.registry import open_store

if TYPE_CHECKING:
    from duckback.source.metadata import Relation


@dataclass(frozen=True)
class Listed:
    """An entry, and where it stands; None where there is no TigerBeetle."""

    entry: Entry
    delivery: Delivery | None


@dataclass(frozen=True)
class Shown:
    """One event: an `Entry` where this host's ledger has it, else as TigerBeetle has it; and where it stands."""

    event: Posted
    delivery: Delivery | None


class LedgerView:
    """This host's ledger, TigerBeetle and the repository, as the options name them.

    Every method raises LedgerError where the embedded ledger cannot be read.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._remote = options.ledger.remote

    @property
    def tigerbeetle(self) -> str | None:
        """The cluster and the ledger in it, None where none is configured."""
        return self._remote.name if self._remote is not None else None

    def entries(
        self,
        *,
        kind: EventKind | None = None,
        name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Listed]:
        """This host's events in order: of the repository, where one is named, else of all.

        Args:
            kind: only of this kind.
            name: only of databases of this name; default: the options'.
            since: only recorded at or after this aware time.
            until: only recorded before this aware time.

        Raises:
            NoRepository: there is none where one is named.
        """
        repository_id = self._repository().id if self._options.repo is not None else None
        with self._ledger() as ledger:
            states = states_of(ledger, self._remote)
            found = ledger.entries(
                repository_id=repository_id,
                database=name or self._options.name,
                kind=kind,
                since=since,
                until=until,
            )
            for entry in found:
                yield Listed(entry, states.get(entry.transfer.id))

    def show(self, backup: str, kind: EventKind | None = None) -> Shown:
        """One event of a backup.

        Args:
            backup: its id, the beginning of one that this host's ledger knows, or "latest", the last completed one.
            kind: which event; default: completed, or the newest where there is none.

        Raises:
            NoSuchBackup: none is meant, or more than one, or it has no such event.
            LedgerUnavailable: TigerBeetle, which alone may have it, does not answer.
        """
        found = self._events_of(backup)
        chosen = [one for one in found if one.entry.kind is (kind or EventKind.COMPLETED)]
        if kind is None:
            chosen = chosen or found
        if chosen:
            return Shown(chosen[-1].entry, chosen[-1].delivery)
        posted = self._posted(event_id(kind or EventKind.COMPLETED, UUID(backup)).int) if _is_id(backup) else None
        if posted is None:
            raise NoSuchBackup(
                f"no ledger that this host reaches has such an event of backup {backup}",
                hint="`duckback ledger list` shows the events; those of another host's ledger are unknown here.",
            )
        return Shown(posted, Delivery("delivered", transfer_id=posted.transfer.id))

    def verify(self) -> Audited:
        """Compare repository, ledger and TigerBeetle.

        Raises:
            NoRepository: there is none.
            IntegrityError: a tombstone is damaged.
        """
        repository = self._repository()
        with self._ledger() as ledger:
            return audit(repository, ledger, self._remote)

    def sync(self) -> Attempt:
        """Deliver everything that waits or is parked, however long the whole of it takes.

        Raises:
            UsageError: no TigerBeetle is configured.
        """
        if self._remote is None:
            raise UsageError(
                "no TigerBeetle is configured, and the embedded ledger has every event already",
                hint="Give --tigerbeetle-addresses, or ledger.tigerbeetle_addresses in the configuration.",
            )
        with self._ledger() as ledger:
            return Outbox(ledger, self._remote).deliver_all()

    def backlog(self) -> Backlog:
        """What is not delivered to TigerBeetle; nothing where none is configured."""
        with self._ledger() as ledger:
            return Outbox(ledger, self._remote).backlog()

    def metadata(self, name: str | None = None) -> list[BackupMetadata]:
        """The rows of `backup_metadata`, oldest first, of one database (default: the options' name) or of all.

        Raises:
            NoRepository: there is none.
            IntegrityError: a manifest is damaged or foreign.
        """
        repository, wanted = self._repository(), name or self._options.name
        names = repository.databases() if wanted is None else [wanted]
        committed = [one for database in names for one in repository.backups(database)]
        gone = remains(repository)
        with self._ledger() as ledger:
            entries = list(ledger.entries(repository_id=repository.id, database=wanted))
        held = {one.manifest.backup_id: Held(one.manifest, one.sha256) for one in committed}
        return backup_metadata(held, entries, {*gone.tombstones, *gone.done}, repository.store.uri)

    def query(self, sql: str, name: str | None = None) -> "Relation":
        """What a query says of `backup_metadata`.

        Raises:
            UsageError: DuckDB does not accept it.
        """
        from duckback.source.metadata import metadata_relation  # noqa: PLC0415 -- it imports DuckDB

        return metadata_relation(map(astuple, self.metadata(name)), sql)

    def last_backup_time(self, name: str | None = None) -> datetime | None:
        """The start of the last incremental backup that is there, else of the last full; None before the first."""
        return last_backup_time(self.metadata(name))

    def _events_of(self, backup: str) -> list[Listed]:
        events: dict[str, list[Listed]] = {}
        for one in self.entries():
            events.setdefault(one.entry.details.get("backup_id", ""), []).append(one)
        events.pop("", None)
        if backup == "latest":
            completed = [
                one for one, known in events.items() if any(e.entry.kind is EventKind.COMPLETED for e in known)
            ]
            return events[max(completed)] if completed else []
        meant = [one for one in events if one.startswith(backup.lower())]
        if len(meant) > 1:
            raise NoSuchBackup(f"more than one backup begins with {backup!r}", hint="Give more of the id.")
        return events[meant[0]] if meant else []

    def _posted(self, event: int) -> Posted | None:
        if self._remote is None:
            return None
        with closing(asked(self._remote)) as receiver:
            found = (receiver.entry(one) for one in ids_of(event))
            return next((one for one in found if one is not None), None)

    def _repository(self) -> Repository:
        if self._options.repo is None:
            raise UsageError("no repository is given", hint="Give --repo: a directory, or s3://bucket/prefix.")
        return Repository.open(open_store(self._options.repo, self._options.s3))

    def _ledger(self) -> EmbeddedLedger:
        return EmbeddedLedger(self._options.state_dir / "ledger.sqlite", self._options.ledger.number)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
