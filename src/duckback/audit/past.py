"""What has been done for a database, read from its repository and from this host's ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from duckback.errors import IntegrityError, NoRepository, NoSuchBackup
from duckback.ledger.base import Entry
from duckback.ledger.codec import decode_user_data
from duckback.ledger.deliveries import Backlog
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.outbox import Outbox
from duckback.ledger.records import verdicts
from duckback.ledger.remote import Remote
from duckback.model.events import EventKind, event_id
from duckback.model.ids import time_of
from duckback.model.proof import Standing, Verdict
from duckback.model.schedule import Failure, History, Taken, Task
from duckback.repository.leases import Leases
from duckback.repository.proofs import proofs, standings
from duckback.repository.repository import Committed, Repository
from duckback.repository.stones import tombstoned
from duckback.store.base import Store

_TASK_OF: Final = {"full": Task.FULL, "incremental": Task.INCREMENTAL}
_MOST_FAILURES: Final = 20


@dataclass(frozen=True)
class Past:
    """What has been done for one database.

    Attributes:
        history: as the schedule asks for it.
        newest: the newest committed backup whose manifest can be read.
        well_verified_at: the start of the last verification that found nothing wrong.
        oldest_unverified_at: the start of the oldest backup without a good verification.
        first_at: the start of the oldest backup that is there.
        unverified: the backups that this host has not found good, or of which a failure stands.
        bad: the backups of which a failure stands, those included that are gone and were not pruned.
        unreadable: what is wrong with manifests that were come across on the way.
        restored_in: how long the last test restore took.
        backlog: what TigerBeetle does not hold of this host's ledger.
    """

    history: History = field(default_factory=History)
    newest: Committed | None = None
    well_verified_at: datetime | None = None
    oldest_unverified_at: datetime | None = None
    first_at: datetime | None = None
    unverified: tuple[UUID, ...] = ()
    bad: tuple[UUID, ...] = ()
    unreadable: tuple[str, ...] = ()
    restored_in: timedelta | None = None
    backlog: Backlog = field(default_factory=Backlog)


def read_past(store: Store, ledger: EmbeddedLedger, database: str, remote: Remote | None = None) -> Past:
    """Look at a repository and a ledger; nothing, where there is no repository.

    A manifest that is damaged counts as none: what it stood for is due again.

    Args:
        store: of the repository.
        ledger: this host's.
        database: its name.
        remote: TigerBeetle, if one is configured; it is not asked.

    Raises:
        StoreError: the store does not answer.
        LedgerError: the ledger cannot be read.
    """
    backlog = Outbox(ledger, remote).backlog()
    try:
        repository = Repository.open(store)
    except NoRepository:
        return Past(backlog=backlog)
    pruned = tombstoned(store, database)
    there = [one for one in repository.backup_ids(database) if one not in pruned]
    taken, newest, unreadable = _newest(repository, database, there)
    verified = verdicts(ledger, repository.id, database)
    judged = standings(proofs(repository, database), verified)
    unverified = [one for one in there if not _is_good(judged.get(one), verified.get(one, ()))]
    runs = _runs(verified)
    restored = list(_test_restores(ledger, repository.id, database))
    history = History(
        taken=tuple(taken),
        unverified=len(unverified),
        verified_at=max(runs, default=None),
        test_restored_at=_start(restored[-1]) if restored else None,
        failures=_failures(ledger, repository, database, taken),
    )
    return Past(
        history=history,
        newest=newest,
        well_verified_at=max((at for at, is_good in runs.items() if is_good), default=None),
        oldest_unverified_at=time_of(unverified[0]) if unverified else None,
        first_at=time_of(there[0]) if there else None,
        unverified=tuple(unverified),
        bad=tuple(sorted(one for one, found in judged.items() if not found.is_good and one not in pruned)),
        unreadable=tuple(unreadable),
        restored_in=timedelta(seconds=float(restored[-1].details["seconds"])) if restored else None,
        backlog=backlog,
    )


def _newest(
    repository: Repository, database: str, there: list[UUID]
) -> tuple[list[Taken], Committed | None, list[str]]:
    """The newest backups, back to the newest full one, oldest first; the very newest; manifests that are damaged."""
    taken: list[Taken] = []
    newest: Committed | None = None
    unreadable: list[str] = []
    for backup_id in reversed(there):
        try:
            committed = repository.read(database, backup_id)
        except IntegrityError as error:
            unreadable.append(error.message)
            continue
        except NoSuchBackup:
            continue  # pruned since it was listed
        newest = newest or committed
        taken.append(Taken(committed.manifest.scope, time_of(backup_id), backup_id))
        if committed.manifest.scope == "full":
            break
    return taken[::-1], newest, unreadable


def _is_good(judged: Standing | None, here: Sequence[Verdict]) -> bool:
    # A proof may be forged: it can say that a backup is bad, but not spare it the verification by this host.
    return judged is not None and judged.is_good and any(one.is_good for one in here)


def _runs(verified: Mapping[UUID, Sequence[Verdict]]) -> dict[datetime, bool]:
    """By the start of each run: whether it found all good."""
    runs: dict[datetime, bool] = {}
    for one in (verdict for found in verified.values() for verdict in found):
        runs[one.at] = runs.get(one.at, True) and one.is_good
    return runs


def _test_restores(ledger: EmbeddedLedger, repository_id: UUID, database: str) -> Iterator[Entry]:
    entries = ledger.entries(repository_id=repository_id, database=database, kind=EventKind.VERIFICATION)
    return (one for one in entries if (one.details["level"], one.details["result"]) == ("restore", "good"))


def _failures(ledger: EmbeddedLedger, repository: Repository, database: str, taken: list[Taken]) -> tuple[Failure, ...]:
    """Backups that failed, or were begun and never came to an end, since the newest committed one."""
    committed = {one.backup_id for one in taken}
    since = max((one.at for one in taken), default=None)
    found: dict[UUID, Failure] = {}
    begun: set[UUID] = set()
    for kind in (EventKind.STARTED, EventKind.FAILED):
        for entry in ledger.entries(repository_id=repository.id, database=database, kind=kind, since=since):
            backup_id = UUID(entry.details["backup_id"])
            if backup_id in committed or ledger.entry(event_id(EventKind.COMPLETED, backup_id).int) is not None:
                continue
            data = decode_user_data(entry.transfer.user_data_128, entry.transfer.user_data_32)
            found[backup_id] = Failure(_TASK_OF[data.scope], entry.recorded_at)
            (begun.add if kind is EventKind.STARTED else begun.discard)(backup_id)
    if begun and Leases(repository.store, database, _utc_now).is_held_here("backup"):
        del found[max(begun)]  # it is under way
    return tuple(sorted(found.values(), key=lambda one: one.at)[-_MOST_FAILURES:])


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _start(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.transfer.user_data_64, UTC)
