"""Reading what the repository, this host's ledger and TigerBeetle say, and comparing it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from uuid import UUID

from duckback.errors import IntegrityError, LedgerError, LedgerUnavailable
from duckback.ledger.base import Entry, Receiver
from duckback.ledger.deliveries import Delivery
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.evidence import Evidence, Held
from duckback.ledger.evidence import Remote as Answers
from duckback.ledger.limited import each
from duckback.ledger.reconcile import Reconciliation, reconcile
from duckback.ledger.remote import Remote
from duckback.model.events import repository_account_id
from duckback.repository.remains import Remains, read_remains
from duckback.repository.repository import Repository


@dataclass(frozen=True)
class Audited:
    """What a reconciliation came to.

    Attributes:
        result: The comparison.
        unavailable: Why TigerBeetle had no part in it; None if it had one, or none is configured.
    """

    result: Reconciliation
    unavailable: LedgerUnavailable | None


def audit(repository: Repository, ledger: EmbeddedLedger, remote: Remote | None) -> Audited:
    """Compare the repository, this host's ledger and TigerBeetle.

    Raises:
        IntegrityError: a tombstone is damaged.
        StoreError: the repository cannot be read.
        LedgerError: the embedded ledger cannot be read at all.
    """
    evidence, unavailable = _look(repository, ledger, remote)
    result = reconcile(evidence)
    if result.findings:
        # A run that was at work during the first look is further on in the second: what it left between the two
        # readings of one look contradicts in that look alone.
        evidence, unavailable = _look(repository, ledger, remote)
        second = reconcile(evidence)
        result = replace(second, findings=tuple(one for one in second.findings if one in result.findings))
    return Audited(result, unavailable)


def _look(
    repository: Repository, ledger: EmbeddedLedger, remote: Remote | None
) -> tuple[Evidence, LedgerUnavailable | None]:
    chain_error = _chain_error(ledger)
    entries = tuple(_readable(ledger.entries()))
    account = repository_account_id(repository.id).int
    own = [one for one in entries if account in {one.transfer.debit_account_id, one.transfer.credit_account_id}]
    states = states_of(ledger, remote)
    answers, unavailable = _asked(remote, account)
    found = _backups(repository)
    gone = remains(repository)
    evidence = Evidence(
        backups={one: held for one, held in found.items() if isinstance(held, Held)},
        damaged={one: held for one, held in found.items() if isinstance(held, str)},
        tombstones=gone.tombstones,
        done=gone.done,
        proven=gone.proven,
        ledger_id=ledger.identity(),
        chain_error=chain_error,
        heads=[entry.hash for entry in entries],
        entries=own,
        deliveries={one.transfer.id: states[one.transfer.id] for one in own if one.transfer.id in states},
        last_delivered=ledger.deliveries(remote.name).last() if remote is not None else 0,
        remote=answers,
    )
    return evidence, unavailable


def states_of(ledger: EmbeddedLedger, remote: Remote | None) -> dict[int, Delivery]:
    """Where each entry stands, by the id of its transfer; nothing where there is no TigerBeetle."""
    return dict(ledger.deliveries(remote.name).states()) if remote is not None else {}


def asked(remote: Remote) -> Receiver:
    """TigerBeetle, to be asked questions.

    Raises:
        LedgerUnavailable: its client is not installed.
    """
    return remote.open(each(remote.timeout.total_seconds()))


def remains(repository: Repository) -> Remains:
    """Tombstones and proofs of all databases, those of which nothing else is left too."""
    found = [read_remains(repository, folder) for folder in repository.store.folders("")]
    return Remains(
        {backup_id: stone for one in found for backup_id, stone in one.tombstones.items()},
        {backup_id: done for one in found for backup_id, done in one.done.items()},
        frozenset(backup_id for one in found for backup_id in one.proven),
    )


def _backups(repository: Repository) -> dict[UUID, Held | str]:
    """Every backup; of one whose manifest cannot be read, why."""
    found: dict[UUID, Held | str] = {}
    for database in repository.databases():
        for backup_id in repository.backup_ids(database):
            try:
                committed = repository.read(database, backup_id)
                found[backup_id] = Held(committed.manifest, committed.sha256)
            except IntegrityError as error:
                found[backup_id] = error.message
    return found


def _asked(remote: Remote | None, account: int) -> tuple[Answers | None, LedgerUnavailable | None]:
    if remote is None:
        return None, None
    try:
        with closing(asked(remote)) as receiver:
            return Answers(transfers=tuple(receiver.transfers(account)), balance=receiver.balance(account)), None
    except LedgerUnavailable as error:
        return None, error


def _chain_error(ledger: EmbeddedLedger) -> str | None:
    try:
        ledger.verify_chain()
    except LedgerError as error:
        return error.message
    return None


def _readable(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Entries up to the first that is not one; the chain has told then."""
    try:
        yield from entries
    except LedgerError:
        return
