"""What an audit compares: the repository, the embedded ledger and TigerBeetle, as they were read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from duckback.errors import LedgerError
from duckback.ledger.base import Entry, Posted
from duckback.ledger.codec import UserData, decode_user_data, ids_of
from duckback.ledger.deliveries import Delivery
from duckback.model.events import EventKind, event_id
from duckback.model.manifest import Manifest
from duckback.model.tombstone import Done, Tombstone


@dataclass(frozen=True)
class Held:
    """A backup that the repository holds: its manifest, and the SHA-256 of the manifest's bytes."""

    manifest: Manifest
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Remote:
    """What TigerBeetle says of a repository.

    Attributes:
        transfers: All that debit or credit the repository's account, in order.
        balance: Bytes debited to and credited to that account.
    """

    transfers: Sequence[Posted]
    balance: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that is known of one repository.

    Attributes:
        backups: What the repository holds.
        damaged: Backups whose manifest cannot be read, and why.
        tombstones: Backups that are being pruned or are gone.
        done: Backups that are gone.
        proven: Backups that a proof in the repository is about.
        ledger_id: The embedded ledger of this host.
        chain_error: What is wrong with its chain, None if nothing.
        heads: The hash of every entry of it, whatever its repository.
        entries: Its entries of this repository, in order.
        deliveries: Where its entries stand, by the id of their transfer; empty where there is no TigerBeetle.
        last_delivered: The highest sequence number that was ever delivered from it.
        remote: None where there is no TigerBeetle, or it does not answer.
    """

    backups: Mapping[UUID, Held]
    damaged: Mapping[UUID, str] = field(default_factory=dict)
    tombstones: Mapping[UUID, Tombstone] = field(default_factory=dict)
    done: Mapping[UUID, Done] = field(default_factory=dict)
    proven: frozenset[UUID] = frozenset()
    ledger_id: str
    chain_error: str | None = None
    heads: Sequence[str] = ()
    entries: Sequence[Entry] = ()
    deliveries: Mapping[int, Delivery] = field(default_factory=dict)
    last_delivered: int = 0
    remote: Remote | None = None

    @cached_property
    def by_id(self) -> Mapping[int, Entry]:
        """The entries by the id of their transfer."""
        return {entry.transfer.id: entry for entry in self.entries}

    @cached_property
    def transfers(self) -> Mapping[int, Posted]:
        """TigerBeetle's transfers by their id there."""
        return {} if self.remote is None else {one.transfer.id: one for one in self.remote.transfers}

    def local(self, kind: EventKind, backup_id: UUID) -> Entry | None:
        """The entry of such an event of a backup."""
        return self.by_id.get(event_id(kind, backup_id).int)

    def posted(self, kind: EventKind, backup_id: UUID) -> Posted | None:
        """The transfer of such an event of a backup in TigerBeetle, under whichever of its ids."""
        found = (self.transfers.get(one) for one in ids_of(event_id(kind, backup_id).int))
        return next((one for one in found if one is not None), None)

    def of(self, kind: EventKind, backup_id: UUID) -> Iterator[Posted]:
        """Such an event of a backup, as either ledger has it."""
        return (one for one in (self.local(kind, backup_id), self.posted(kind, backup_id)) if one is not None)

    def is_own(self, held: Held) -> bool:
        """Whether this host's ledger is the one that a backup was recorded in."""
        return held.manifest.ledger.id == self.ledger_id

    def is_accounted_for(self, backup_id: UUID) -> bool:
        """Whether a backup is there, or its absence is explained."""
        places = (self.backups, self.damaged, self.tombstones, self.done)
        return any(backup_id in place for place in places) or any(self.of(EventKind.PRUNED, backup_id))


def read_user_data(posted: Posted) -> UserData | None:
    """What a transfer says; None where a newer Duckback, or somebody else, wrote it."""
    try:
        return decode_user_data(posted.transfer.user_data_128, posted.transfer.user_data_32)
    except LedgerError:
        return None
