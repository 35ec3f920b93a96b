"""Cleaning up one database: what retention drops, what nobody refers to, and what an earlier run could not finish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import UUID

from duckback.model.policy import Candidate, Decision, Policy, decide, freed, past_their_time
from duckback.model.tombstone import Tombstone
from duckback.repository import layout
from duckback.repository.copies import remove_copies
from duckback.repository.deletion import Deletion, Finished
from duckback.repository.entombing import expiry, withdrawal
from duckback.repository.leases import Held, Leases
from duckback.repository.orphans import Orphans, find_orphans, tombstone_of
from duckback.repository.pins import read_pins
from duckback.repository.stones import Stones, each
from duckback.repository.summaries import Found, Summaries
from duckback.store.base import DeleteFailure, Store


class Books(Protocol):
    """What the ledger has to do with it."""

    def is_completed(self, backup_id: UUID) -> bool:
        """Whether it knows a backup as completed and not as pruned."""
        ...

    def is_open(self, backup_id: UUID) -> bool:
        """Whether it knows a backup, and neither that it failed nor that it was pruned."""
        ...

    def record(self, tombstone: Tombstone, amount: int) -> None:
        """Record that a backup is gone, with the bytes that its plan counts; once, whoever does it."""
        ...


@dataclass(frozen=True)
class Cleaned:
    """What was decided and done.

    Attributes:
        decisions: for every backup, by the moment that it shows.
        freed: by backup that goes, the bytes that go with it.
        finished: deletions that this run worked on, those of earlier runs too.
        orphans: objects without a backup; None: not looked for.
        aborted: keys of uploads that somebody had left unfinished.
        said: what else happened in the run.
    """

    decisions: tuple[Decision, ...]
    freed: Mapping[UUID, int]
    finished: tuple[Finished, ...] = ()
    orphans: Orphans | None = None
    aborted: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[DeleteFailure, ...]:
        """What the store refused to delete, and does not hold by an object lock."""
        return tuple(one for deletion in self.finished for one in deletion.failures if one.locked_until is None)

    @property
    def locked(self) -> tuple[DeleteFailure, ...]:
        """What the store holds by an object lock: it goes with a later run."""
        return tuple(one for deletion in self.finished for one in deletion.failures if one.locked_until is not None)

    @property
    def notices(self) -> tuple[str, ...]:
        """What an operator should hear of."""
        lost = self.orphans.orphaned if self.orphans is not None else {}
        return (
            *(
                f"{count} objects of backup {writer}, whose manifest is gone without a tombstone, were left alone"
                for writer, count in lost.items()
            ),
            *(f"{one.key} stays for now: {one.reason}" for one in self.locked),
            *(f"not deleted, and tried again next time: {one.key}: {one.reason}" for one in self.refused),
            *self.said,
        )


@dataclass(frozen=True, kw_only=True)
class Cleanup:
    """Everything that a clean-up needs.

    Attributes:
        store: of the repository.
        database: whose backups.
        summaries: of the repository's manifests.
        deletion: of the database.
        leases: of the database.
        policy: what is kept.
        books: the ledger.
        copies: the directory of this database's local copies.
        keep_copies: how long they are kept.
        clock: now, UTC.
    """

    store: Store
    database: str
    summaries: Summaries
    deletion: Deletion
    leases: Leases
    policy: Policy
    books: Books
    copies: Path
    keep_copies: timedelta
    clock: Callable[[], datetime] = field(repr=False)

    def preview(self) -> Cleaned:
        """What `run` would decide about backups, and changes nothing; orphans are not looked for."""
        found = self.summaries.read(self.database)
        decisions = decide(self._candidates(found, self.deletion.look()), self.policy, self.clock())
        return Cleaned(tuple(decisions), freed(decisions))

    def run(self) -> Cleaned:
        """Remove what the policy does not keep, orphans, abandoned uploads and old local copies.

        Raises:
            Locked: somebody else cleans up.
            UsageError: the policy would remove everything.
            IntegrityError: a manifest, pin or tombstone is damaged: what it refers to is unknown, so nothing goes.
            StoreError: the store fails; what was begun is finished by the next run.
        """
        remove_copies(self.copies, partial(past_their_time, keep=self.keep_copies, now=self.clock()))
        with self.leases.hold("prune") as held:
            # Of two clocks the earlier one counts: whichever is wrong, nothing goes too early.
            return self._run(held, min(self.clock(), held.seen_at))

    def _run(self, held: Held, now: datetime) -> Cleaned:
        decisions, orphans = self._entomb(held, now)
        self.deletion.decide()
        finished = [self._finish(held, backup_id) for backup_id in self.deletion.going()]
        aborted = self.store.abort_uploads(layout.database_prefix(self.database), before=now - self.policy.grace)
        return Cleaned(tuple(decisions), freed(decisions), tuple(finished), orphans, tuple(aborted))

    def _entomb(self, held: Held, now: datetime) -> tuple[list[Decision], Orphans]:
        """Say of everything that is to go that it does."""
        # In this order: the tombstone of whatever is missing from the manifests is there.
        found = self.summaries.read(self.database)
        stones = self.deletion.look()
        self._catch_up(stones)
        self._withdraw_dead(found, stones)
        decisions = decide(self._candidates(found, stones), self.policy, now)
        for one in decisions:
            if not one.is_kept:
                held.insist()
                self.deletion.entomb(expiry(one))
        orphans = self._orphans(found, stones, now)
        if orphans.doomed:
            self.deletion.entomb(tombstone_of(orphans, now))
        return decisions, orphans

    def _withdraw_dead(self, found: Mapping[UUID, Found], stones: Stones) -> None:
        """Take back what refers to objects that are going, and whose run died at the commit, before it saw that."""
        plans = each(self.deletion.plan, sorted(stones.planned))
        going = {key: plan.backup_id for plan in plans for key in plan.keys}
        for backup_id, one in found.items():
            pruned = next((going[key] for key, _ in one.summary.objects if key in going), None)
            if pruned is not None and backup_id not in stones.tombstoned:
                self.deletion.entomb(withdrawal(one.summary, pruned))

    def _candidates(self, found: Mapping[UUID, Found], stones: Stones) -> list[Candidate]:
        pins = read_pins(self.store, self.database)
        return [
            Candidate(
                summary=one.summary,
                written_at=one.written_at,
                pin=pins[backup_id].reason if backup_id in pins else None,
            )
            for backup_id, one in found.items()
            if backup_id not in stones.tombstoned
        ]

    def _orphans(self, found: Mapping[UUID, Found], stones: Stones, now: datetime) -> Orphans:
        referred = {key for one in found.values() for key, _ in one.summary.objects}
        pending = each(self.deletion.tombstone, sorted(stones.pending))
        referred |= {one.key for stone in pending for one in stone.objects}
        return find_orphans(
            self.store,
            self.database,
            referred=referred,
            before=now - self.policy.grace,
            is_completed=self.books.is_completed,
        )

    def _finish(self, held: Held, backup_id: UUID) -> Finished:
        held.insist()
        finished = self.deletion.finish(backup_id)
        if finished.done is not None:
            self.books.record(finished.tombstone, finished.done.bytes)
        return finished

    def _catch_up(self, stones: Stones) -> None:
        """Record what an earlier run finished and was killed before it could record it."""
        for backup_id in sorted(stones.done):
            if self.books.is_open(backup_id):
                self.books.record(self.deletion.tombstone(backup_id), self.deletion.plan(backup_id).bytes)
