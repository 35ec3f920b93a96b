"""Deleting backups, so that whoever else is at work, and whoever is killed or wakes up late, no backup loses an object.

Tombstone → plan → manifest → objects → done. Each is created once, and any process may do any step again.

- A tombstone says that objects may go. After it, whoever commits a manifest that refers to one of them looks for it.
- The plan is decided from manifests that were listed after the tombstone: what one of them refers to stays, unless it
  is tombstoned too. It is created once, so that everybody deletes the same, and no object is in two plans:
  undecided tombstones are decided in the order of their ids, each knowing the plans before it.
- Only what a plan names is ever deleted.

So a commit that finds no tombstone was seen by every plan that is decided later; one that finds a plan without any of
its objects loses none by it; and one that finds an undecided tombstone decides it, with its own manifest in sight.
"""

from dataclasses import dataclass
from uuid import UUID

from duckback.errors import AlreadyExists
from duckback.model.seal import sealed
from duckback.model.tombstone import Done, Plan, Tombstone, parse
from duckback.repository import layout
from duckback.repository.repository import Repository
from duckback.repository.stones import Stones, each, look, read_plan, read_tombstone
from duckback.repository.summaries import Summaries
from duckback.store.base import DeleteFailure


@dataclass(frozen=True)
class Finished:
    """How far a deletion came: `done` is None while the store refuses some of it."""

    tombstone: Tombstone
    done: Done | None
    failures: tuple[DeleteFailure, ...] = ()


class Deletion:
    """Deletes from one database.

    Args:
        repository: that holds it.
        summaries: of its manifests.
        database: whose backups.
    """

    def __init__(self, repository: Repository, summaries: Summaries, database: str) -> None:
        self._store = repository.store
        self._summaries = summaries
        self._database = database
        self._plans = summaries.cache(database, "plans")

    def look(self) -> Stones:
        """What is being deleted, and what is gone."""
        return look(self._store, self._database)

    def going(self) -> list[UUID]:
        """What is decided and not gone yet, in order."""
        return self.look().going

    def entomb(self, tombstone: Tombstone) -> None:
        """Say that a backup goes; that it does already is no error."""
        self._create(layout.tombstone_key(self._database, tombstone.backup_id), sealed(tombstone))

    def tombstone(self, backup_id: UUID) -> Tombstone:
        """The tombstone of a backup."""
        return read_tombstone(self._store, self._database, backup_id)

    def plan(self, backup_id: UUID) -> Plan:
        """The plan of a backup, once there is one."""
        held = self._plans.get(f"{backup_id}.json")
        if held is not None:
            return parse(Plan, held, source=f"the cached plan of {backup_id}")
        found = read_plan(self._store, self._database, backup_id)
        self._plans.put(f"{backup_id}.json", sealed(found))
        return found

    def decide(self) -> None:
        """Make a plan for every tombstone that has none.

        Raises:
            IntegrityError: a manifest or tombstone is damaged; nothing is decided then.
            StoreError: the store fails, or a listing does.
        """
        while (before := self.look()).undecided:
            referred = self._referred(before)
            after = self.look()
            # One that came meanwhile may have to be decided before these, from a listing that is younger than it.
            if before.tombstoned >= frozenset(after.undecided):
                self._decide(after, referred)

    def _referred(self, stones: Stones) -> set[str]:
        """Keys that manifests refer to, without those of tombstoned backups."""
        found = self._summaries.read(self._database)
        # A listing takes a while: a child committed and its parent deleted in that time can both be missing from it.
        # Whatever was committed before such a deletion is in the next one.
        found |= self._summaries.read(self._database)
        return {
            key
            for backup_id, one in found.items()
            if backup_id not in stones.tombstoned
            for key, _ in one.summary.objects
        }

    def _decide(self, stones: Stones, referred: set[str]) -> None:
        taken = {key for plan in each(self.plan, sorted(stones.planned)) for key in plan.keys}
        for backup_id in stones.undecided:
            tombstone = self.tombstone(backup_id)
            going = {one.key: one.size for one in tombstone.objects if one.key not in referred | taken}
            counted = [size for key, size in going.items() if self._is_on_the_books(tombstone, key, stones)]
            plan = Plan(backup_id=backup_id, keys=tuple(going), bytes=sum(counted))
            self._create(layout.tombstone_key(self._database, backup_id, "plan"), sealed(plan))
            taken.update(self.plan(backup_id).keys)

    def _is_on_the_books(self, tombstone: Tombstone, key: str, stones: Stones) -> bool:
        """Whether the object was ever recorded as backed up: not if its own run was killed, or withdrew it."""
        writer = layout.writer_of(key)
        if writer is not None and writer != tombstone.backup_id and writer in stones.tombstoned:
            return self.tombstone(writer).cause == "retention"
        return tombstone.cause == "retention"

    def finish(self, backup_id: UUID) -> Finished:
        """Delete what the plan of a backup names, and its manifest before that.

        What the store refuses to delete is returned, and is not done.
        """
        tombstone, plan = self.tombstone(backup_id), self.plan(backup_id)
        manifest = layout.manifest_key(self._database, backup_id)
        failures = self._store.delete([manifest]) or self._store.delete(list(plan.keys))
        if failures:
            return Finished(tombstone, None, tuple(failures))
        done = Done(backup_id=backup_id, keys=plan.keys, bytes=plan.bytes)
        self._create(layout.tombstone_key(self._database, backup_id, "done"), sealed(done))
        return Finished(tombstone, done)

    def at_risk(self) -> set[str]:
        """Keys of objects that are going and may still be there."""
        self.decide()
        return {key for backup_id in self.going() for key in self.plan(backup_id).keys}

    def _create(self, key: str, data: bytes) -> None:
        try:
            self._store.create(key, data)
        except AlreadyExists:
            return  # somebody was first, and what is there counts
