"""What stands below `pruned/`: tombstones, plans and dones, as they are at one moment."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from duckback.errors import IntegrityError
from duckback.model.tombstone import MAX_TOMBSTONE_BYTES, Done, Plan, Tombstone, parse
from duckback.repository import layout
from duckback.store.base import Store

_READERS = 8

T = TypeVar("T", Tombstone, Plan, Done)
A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True)
class Stones:
    """Ids by how far their deletion is: of all three, none is ever taken back."""

    tombstoned: frozenset[UUID]
    planned: frozenset[UUID]
    done: frozenset[UUID]

    @property
    def pending(self) -> frozenset[UUID]:
        """What is not gone yet."""
        return self.tombstoned - self.done

    @property
    def going(self) -> list[UUID]:
        """What is decided and not gone yet, in order."""
        return sorted(self.planned - self.done)

    @property
    def undecided(self) -> list[UUID]:
        """What has no plan yet, in order."""
        return sorted(self.tombstoned - self.planned)


def look(store: Store, database: str) -> Stones:
    """One listing.

    Raises:
        StoreError: it failed.
    """
    found: dict[str, set[UUID]] = {"tombstone": set(), "plan": set(), "done": set()}
    for listed in store.list(layout.tombstone_prefix(database)):
        stage = layout.stage_of(listed.key)
        if stage is not None:
            found[stage[1]].add(stage[0])
    return Stones(*(frozenset(found[stage]) for stage in ("tombstone", "plan", "done")))


def tombstoned(store: Store, database: str) -> frozenset[UUID]:
    """Backups that are being pruned or are gone; raises as `look`."""
    return look(store, database).tombstoned


def read_tombstone(store: Store, database: str, backup_id: UUID) -> Tombstone:
    """A tombstone whose keys are of this database.

    Raises:
        IntegrityError: it is damaged, or names what is not this database's: somebody put it there.
    """
    found = _read(store, Tombstone, layout.tombstone_key(database, backup_id))
    _refuse_foreign(store, database, backup_id, found, [each.key for each in found.objects])
    return found


def read_plan(store: Store, database: str, backup_id: UUID) -> Plan:
    """A plan whose keys are of this database; raises as `read_tombstone`."""
    found = _read(store, Plan, layout.tombstone_key(database, backup_id, "plan"))
    _refuse_foreign(store, database, backup_id, found, found.keys)
    return found


def _read(store: Store, kind: type[T], key: str) -> T:
    return parse(kind, store.get(key, limit=MAX_TOMBSTONE_BYTES), source=store.uri(key))


def _refuse_foreign(store: Store, database: str, backup_id: UUID, found: Tombstone | Plan, keys: Iterable[str]) -> None:
    prefix = layout.data_prefix(database)
    outside = next((key for key in keys if not key.startswith(prefix)), None)
    if found.backup_id != backup_id or outside is not None:
        what = f"names {outside}, outside its database" if outside else "is about another backup"
        raise IntegrityError(
            f"what is below {store.uri(layout.tombstone_key(database, backup_id))} {what}",
            hint="Somebody put it there: look at it, and remove it by hand.",
        )


def each(read: Callable[[A], R], what: Iterable[A]) -> list[R]:
    """Several reads at a time, answers in order."""
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(read, what))
