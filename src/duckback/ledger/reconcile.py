"""Three-way reconciliation: repository, embedded ledger and TigerBeetle, compared. Pure: it says what contradicts.

What this host cannot know is no contradiction: the events of another host's ledger, or of a ledger that was lost with
its machine, are unknown. Neither is what is on its way: a run between commit and record, an event that is not
delivered yet, a prune that is not done; they are pending.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from duckback.ledger.base import GENESIS, Posted
from duckback.ledger.evidence import Evidence, read_user_data
from duckback.model.events import EventKind
from duckback.model.tombstone import Done, has_event

_PREFIX: Final = 26  # hex digits of a digest that a transfer holds
_NO_DIGEST: Final = "0" * _PREFIX


class Contradiction(StrEnum):
    """Its name; scripts rely on it."""

    BACKUP_MISSING = "backup-missing"
    BACKUP_RETURNED = "backup-returned"
    MANIFEST_DAMAGED = "manifest-damaged"
    MANIFEST_CHANGED = "manifest-changed"
    MANIFEST_UNRECORDED = "manifest-unrecorded"
    CHAIN_BROKEN = "chain-broken"
    TAIL_CUT = "tail-cut"
    TRANSFER_MISSING = "transfer-missing"
    TRANSFER_CHANGED = "transfer-changed"
    AMOUNT = "amount"
    BALANCE = "balance"


@dataclass(frozen=True)
class Finding:
    """One contradiction: its name, the backup concerned where it is one, and what contradicts what."""

    name: Contradiction
    backup_id: UUID | None
    what: str


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """What the comparison came to.

    Attributes:
        findings: Contradictions.
        unknown: Backups that are there, and of whose events nothing is known here.
        pending: What is on its way; while there is any, balances are not compared.
    """

    findings: tuple[Finding, ...]
    unknown: tuple[UUID, ...]
    pending: tuple[str, ...]


def reconcile(evidence: Evidence) -> Reconciliation:
    """Compare what the three say."""
    return Reconciliation(
        findings=tuple(finding for check in _CHECKS for finding in check(evidence)),
        unknown=tuple(sorted(_unknown(evidence))),
        pending=(*_unfinished(evidence), *_undelivered(evidence)),
    )


def _missing(evidence: Evidence) -> Iterator[Finding]:
    witnesses: dict[UUID, str] = {}
    for entry in evidence.entries:
        if entry.kind is EventKind.COMPLETED:
            witnesses[UUID(int=entry.transfer.id)] = "the ledger recorded it"
    for backup_id in _completed_in_tigerbeetle(evidence):
        witnesses.setdefault(backup_id, "TigerBeetle holds its transfer")
    for backup_id in evidence.proven:
        witnesses.setdefault(backup_id, "a proof of it is there")
    for held in evidence.backups.values():
        if held.manifest.parent_id is not None:
            witnesses.setdefault(held.manifest.parent_id, f"backup {held.manifest.backup_id} is its child")
    for backup_id, witness in witnesses.items():
        if not evidence.is_accounted_for(backup_id):
            what = f"the repository has neither its manifest nor a tombstone, but {witness}"
            yield Finding(Contradiction.BACKUP_MISSING, backup_id, what)


def _completed_in_tigerbeetle(evidence: Evidence) -> Iterator[UUID]:
    known = {one.transfer.id for backup_id in evidence.backups for one in _remote(evidence, backup_id)}
    known |= {one.transfer.id for backup_id in evidence.tombstones for one in _remote(evidence, backup_id)}
    own = {one.transfer_id: entry_id for entry_id, one in evidence.deliveries.items()}
    for transfer_id, posted in evidence.transfers.items():
        data = read_user_data(posted)
        if data is not None and data.kind is EventKind.COMPLETED and transfer_id not in known:
            yield UUID(int=own.get(transfer_id, transfer_id))


def _remote(evidence: Evidence, backup_id: UUID) -> Iterator[Posted]:
    found = evidence.posted(EventKind.COMPLETED, backup_id)
    if found is not None:
        yield found


def _returned(evidence: Evidence) -> Iterator[Finding]:
    for backup_id in evidence.backups:
        if backup_id in evidence.done or any(evidence.of(EventKind.PRUNED, backup_id)):
            what = "it was pruned, and its manifest is there again"
            yield Finding(Contradiction.BACKUP_RETURNED, backup_id, what)


def _damaged(evidence: Evidence) -> Iterator[Finding]:
    for backup_id, why in evidence.damaged.items():
        yield Finding(Contradiction.MANIFEST_DAMAGED, backup_id, why)


def _changed(evidence: Evidence) -> Iterator[Finding]:
    for witness, backup_id, digest in _digests(evidence):
        held = evidence.backups.get(backup_id)
        if held is not None and not held.sha256.startswith(digest):
            what = f"its manifest's SHA-256 is {held.sha256}, and {witness} says {digest}"
            yield Finding(Contradiction.MANIFEST_CHANGED, backup_id, what)


def _digests(evidence: Evidence) -> Iterator[tuple[str, UUID, str]]:
    """Who says it, of which backup, and the digest or its beginning."""
    for entry in evidence.entries:
        data, subject = read_user_data(entry), entry.details.get("backup_id")
        if data is not None and subject is not None and data.manifest_prefix != _NO_DIGEST:
            yield f"the ledger's {entry.kind} event", UUID(subject), data.manifest_prefix
    for backup_id, held in evidence.backups.items():
        for posted in _remote(evidence, backup_id):
            data = read_user_data(posted)
            if data is not None:
                yield "TigerBeetle's transfer", backup_id, data.manifest_prefix
        if held.manifest.parent_id is not None and held.manifest.parent_manifest_sha256 is not None:
            yield f"its child {backup_id}", held.manifest.parent_id, held.manifest.parent_manifest_sha256
    for backup_id, tombstone in evidence.tombstones.items():
        if tombstone.manifest_sha256 is not None:
            yield "its tombstone", backup_id, tombstone.manifest_sha256


def _unrecorded(evidence: Evidence) -> Iterator[Finding]:
    for backup_id, held in evidence.backups.items():
        kinds = (EventKind.STARTED, EventKind.COMPLETED)
        if evidence.is_own(held) and not any(evidence.local(kind, backup_id) for kind in kinds):
            what = "its manifest names this host's ledger, which knows neither its start nor its end"
            yield Finding(Contradiction.MANIFEST_UNRECORDED, backup_id, what)


def _chain(evidence: Evidence) -> Iterator[Finding]:
    if evidence.chain_error is not None:
        yield Finding(Contradiction.CHAIN_BROKEN, None, evidence.chain_error)


def _tail(evidence: Evidence) -> Iterator[Finding]:
    heads = {GENESIS, *evidence.heads}
    for backup_id, held in evidence.backups.items():
        if not evidence.is_own(held):
            continue
        if held.manifest.ledger.head not in heads:
            what = f"its manifest holds the ledger's head {held.manifest.ledger.head}, which is no longer in the ledger"
            yield Finding(Contradiction.TAIL_CUT, backup_id, what)
        if not evidence.local(EventKind.COMPLETED, backup_id) and evidence.posted(EventKind.COMPLETED, backup_id):
            what = "TigerBeetle holds its completed event, and the ledger that it came from does not"
            yield Finding(Contradiction.TAIL_CUT, backup_id, what)
    if evidence.last_delivered > len(evidence.heads):
        what = f"entry {evidence.last_delivered} was delivered, and the ledger ends with entry {len(evidence.heads)}"
        yield Finding(Contradiction.TAIL_CUT, None, what)


def _transfers(evidence: Evidence) -> Iterator[Finding]:
    if evidence.remote is None:
        return
    for entry in evidence.entries:
        delivery = evidence.deliveries.get(entry.transfer.id)
        if delivery is None or delivery.transfer_id is None:
            continue
        subject = entry.details.get("backup_id")
        about = (UUID(subject) if subject else None, f"transfer {delivery.transfer_id} of the {entry.kind} event")
        posted = evidence.transfers.get(delivery.transfer_id)
        if posted is None:
            yield Finding(Contradiction.TRANSFER_MISSING, about[0], f"{about[1]} was delivered and is not there")
        elif _content(posted) != _content(entry):
            yield Finding(Contradiction.TRANSFER_CHANGED, about[0], f"{about[1]} is not what was delivered")


def _content(posted: Posted) -> tuple[int, ...]:
    one = posted.transfer
    accounts = (one.debit_account_id, one.credit_account_id)
    return (*accounts, one.amount, one.user_data_128, one.user_data_64, one.user_data_32, one.code)


def _amounts(evidence: Evidence) -> Iterator[Finding]:
    moved = {(EventKind.COMPLETED, one): held.manifest.bytes_added for one, held in evidence.backups.items()}
    moved |= {(EventKind.PRUNED, one): done.bytes for one, done in evidence.done.items()}
    for (kind, backup_id), size in moved.items():
        for posted in evidence.of(kind, backup_id):
            if posted.transfer.amount != size:
                what = f"its {kind} event is of {posted.transfer.amount} bytes, and the repository says {size}"
                yield Finding(Contradiction.AMOUNT, backup_id, what)


def _balances(evidence: Evidence) -> Iterator[Finding]:
    if evidence.damaged or any(_unfinished(evidence)):
        return
    held = _bytes_held(evidence)
    if evidence.remote is not None and not any(_undelivered(evidence)) and _is_complete(evidence, evidence.posted):
        debited, credited = evidence.remote.balance
        if credited - debited != held:
            yield _off("TigerBeetle's balance", credited - debited, held)
    if _is_complete(evidence, evidence.local):
        moved = sum(entry.transfer.amount * _sign(entry.kind) for entry in evidence.entries)
        if moved != held:
            yield _off("the ledger's balance", moved, held)


def _off(whose: str, balance: int, held: int) -> Finding:
    what = f"{whose} is {balance} bytes, and the repository's manifests refer to {held}"
    return Finding(Contradiction.BALANCE, None, what)


def _is_complete(evidence: Evidence, find: Callable[[EventKind, UUID], Posted | None]) -> bool:
    """Whether a ledger has every event that moved bytes: those of other hosts may be elsewhere, or on their way."""
    expected = [(EventKind.COMPLETED, one) for one in evidence.backups]
    expected += [(EventKind.PRUNED, one) for one, done in evidence.done.items() if _is_recorded(evidence, one, done)]
    return all(find(kind, one) is not None for kind, one in expected)


def _is_recorded(evidence: Evidence, backup_id: UUID, done: Done) -> bool:
    tombstone = evidence.tombstones.get(backup_id)
    return tombstone is None or has_event(tombstone.cause, done.bytes)


def _sign(kind: EventKind) -> int:
    return {EventKind.COMPLETED: 1, EventKind.PRUNED: -1}.get(kind, 0)


def _bytes_held(evidence: Evidence) -> int:
    """Bytes that manifests refer to, without those of runs that withdrew, and so were never recorded as backed up."""
    withdrawn = {one for one, tombstone in evidence.tombstones.items() if tombstone.cause == "withdrawn"}
    refs = (ref for held in evidence.backups.values() for ref in held.manifest.objects)
    return sum({ref.key: ref.size for ref in refs if ref.backup_id not in withdrawn}.values())


def _unknown(evidence: Evidence) -> Iterator[UUID]:
    for backup_id, held in evidence.backups.items():
        if not evidence.is_own(held) and not any(evidence.of(EventKind.COMPLETED, backup_id)):
            yield backup_id


def _unfinished(evidence: Evidence) -> Iterator[str]:
    for backup_id, held in evidence.backups.items():
        is_started = evidence.is_own(held) and evidence.local(EventKind.STARTED, backup_id) is not None
        if is_started and not any(evidence.of(EventKind.COMPLETED, backup_id)):
            name = held.manifest.database
            yield f"backup {backup_id} is committed and not recorded; the next backup of {name!r} does it"
    for backup_id in sorted(evidence.tombstones.keys() - evidence.done.keys()):
        yield f"backup {backup_id} is being pruned"


def _undelivered(evidence: Evidence) -> Iterator[str]:
    for state, words in {"waiting": "wait for delivery", "parked": "were refused by TigerBeetle"}.items():
        count = sum(one.state == state for one in evidence.deliveries.values())
        if count:
            yield f"events that {words}: {count}"


_CHECKS: Final = (
    _missing,
    _returned,
    _damaged,
    _changed,
    _unrecorded,
    _chain,
    _tail,
    _transfers,
    _amounts,
    _balances,
)
