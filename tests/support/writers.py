"""Backups, prunes and restores without a database: the repository's real code, on one object each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar
from uuid import UUID

from support.interleave import Step, at_once
from support.manifests import a_manifest
from support.world import with_objects

from duckback.errors import NotFound
from duckback.model.catalog import Catalog, Table
from duckback.model.events import Scope
from duckback.model.lease import LeaseKind
from duckback.model.manifest import Manifest, ObjectRef
from duckback.model.policy import Policy
from duckback.model.recorded import NOTHING
from duckback.model.tombstone import Tombstone, has_event
from duckback.repository import layout
from duckback.repository.cleanup import Cleaned, Cleanup
from duckback.repository.commit import commit
from duckback.repository.deletion import Deletion
from duckback.repository.leases import Held, Leases
from duckback.repository.parent import find_parent
from duckback.repository.probe import problem_with
from duckback.repository.repository import Committed, Descriptor, Repository
from duckback.repository.stones import look
from duckback.repository.summaries import Summaries
from duckback.store.base import Store
from duckback.store.memory import MemoryStore

T = TypeVar("T")

DAY = datetime(2026, 11, 1, tzinfo=UTC)
REPOSITORY = UUID(int=1)
LATER = DAY + timedelta(days=10_000)
SIZE = 7


@dataclass(repr=False)
class Book:
    """What a ledger would hold of completed and pruned bytes."""

    completed: dict[UUID, int] = field(default_factory=dict)
    pruned: dict[UUID, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"completed {sorted(self.completed.items())}, pruned {sorted(self.pruned.items())}"

    def is_completed(self, backup_id: UUID) -> bool:
        return self._now("read", backup_id, lambda: backup_id in self.completed and backup_id not in self.pruned)

    def is_open(self, backup_id: UUID) -> bool:
        return self._now("read", backup_id, lambda: backup_id not in self.pruned)

    def complete(self, backup_id: UUID) -> None:
        self._now("change", backup_id, lambda: self.completed.__setitem__(backup_id, SIZE))

    def record(self, tombstone: Tombstone, amount: int) -> None:
        self._now("change", tombstone.backup_id, lambda: self._record(tombstone, amount))

    def _record(self, tombstone: Tombstone, amount: int) -> None:
        if tombstone.cause == "retention":
            assert self.completed.setdefault(tombstone.backup_id, tombstone.own_bytes) == tombstone.own_bytes
        if has_event(tombstone.cause, amount):
            assert self.pruned.setdefault(tombstone.backup_id, amount) == amount

    def _now(self, kind: Literal["read", "change"], backup_id: UUID, act: Callable[[], T]) -> T:
        return at_once(Step(kind, (f"book/{backup_id}",)), act)

    @property
    def balance(self) -> int:
        return sum(self.completed.values()) - sum(self.pruned.values())


class NoLeases(Leases):
    """Safety does not rest on leases: here nobody has any."""

    @contextmanager
    def hold(self, kind: LeaseKind) -> Iterator[Held]:
        yield Held(datetime.max.replace(tzinfo=UTC))


def repository(store: Store) -> Repository:
    return Repository(store, Descriptor(format="x", repository_id=REPOSITORY, created_at=DAY))


def deletion(store: Store) -> Deletion:
    here = repository(store)
    return Deletion(here, Summaries(here), "hot")


def the_id(number: int) -> UUID:
    """A backup id that is always the same, and sorts by its number."""
    return UUID(int=(int(DAY.timestamp() * 1000) + number) << 80 | 7 << 76 | 2 << 62 | number)


def a_ref(writer: UUID, scope: str) -> ObjectRef:
    key = layout.object_key(
        "hot", scope=scope, started_at=DAY, backup_id=writer, schema="main", table="t", ending="0000.parquet"
    )
    return ObjectRef(
        key=key, size=SIZE, sha256=_SHA, part_size=1, composite=None, encryption=None, rows=0, backup_id=writer
    )


_DATA = b"x" * SIZE
_SHA = "0845c55ce15c7957eb0a8a76f2434a22fb1e9d5d8ad2d0a5f5ff5a0ad0ac0b0b"


@dataclass(frozen=True)
class Basis:
    """What a backup begins with: whose objects it relies on, and which deletions were done before it looked at them."""

    parent: Committed | None
    sound: tuple[ObjectRef, ...]
    gone: frozenset[UUID]


def basis(store: Store, *, full: bool) -> Basis:
    """The newest backup, unless that is not wanted, and what it has and is to have."""
    stones = look(store, "hot")
    parent = None if full else find_parent(repository(store), "hot", stones.tombstoned, NOTHING).committed
    if parent is None:
        return Basis(None, (), stones.done)
    doomed = deletion(store).at_risk()
    refs = (ref for ref in parent.manifest.objects if ref.key not in doomed)
    return Basis(parent, tuple(ref for ref in refs if problem_with(store, ref) != "missing"), stones.done)


def backup(store: Store, book: Book, number: int, *, full: bool = False) -> UUID:
    """A backup that relies on what the newest one has, if it is there and stays there."""
    backup_id, on = the_id(number), basis(store, full=full)
    scope: Scope = "incremental" if on.parent else "full"
    own = a_ref(backup_id, scope)
    store.create(own.key, _DATA)
    moment = DAY + timedelta(hours=number)
    manifest = a_manifest(
        REPOSITORY,
        backup_id=backup_id,
        scope=scope,
        parent_id=on.parent.manifest.backup_id if on.parent else None,
        parent_manifest_sha256=on.parent.sha256 if on.parent else None,
        started_at=moment,
        snapshot_at=moment,
        retention_until=moment + timedelta(days=90),
    )
    commit(store, deletion(store), with_table(manifest, (*on.sound, own)), on.gone)
    book.complete(backup_id)
    return backup_id


def with_table(manifest: Manifest, refs: tuple[ObjectRef, ...]) -> Manifest:
    """The manifest with a table that has these objects."""
    catalog = Catalog(tables=(Table(schema_name="main", name="t", columns=(), sql=""),))
    return with_objects(manifest, refs).model_copy(update={"catalog": catalog})


def cleanup(store: Store, book: Book, *, keep: int = 1) -> Cleanup:
    policy = Policy(within=timedelta(0), last=keep, per_period={}, grace=timedelta(0), zone=UTC)
    here = repository(store)
    return Cleanup(
        store=store,
        database="hot",
        summaries=Summaries(here),
        deletion=deletion(store),
        leases=NoLeases(store, "hot", lambda: DAY),
        policy=policy,
        books=book,
        copies=Path("/nonexistent"),
        keep_copies=timedelta(0),
        clock=lambda: LATER,
    )


def prune(store: Store, book: Book, *, keep: int = 1) -> Cleaned:
    return cleanup(store, book, keep=keep).run()


def restore(store: Store) -> Mapping[str, bytes] | None:
    """The newest backup's objects, all of them; None: it says that one is missing."""
    keys = newest(store)
    if keys is None:
        return None
    try:
        return {key: store.get(key, limit=100) for key in keys}
    except NotFound:
        return None


def newest(store: Store) -> list[str] | None:
    """Keys of the newest backup's objects, if there is a backup."""
    found = repository(store).backups("hot")
    return [ref.key for ref in found[-1].manifest.objects] if found else None


def lacking(store: MemoryStore, settled: set[UUID]) -> list[str]:
    """Objects that backups lack which were committed and are not tombstoned."""
    stones = look(store, "hot")
    here = repository(store)
    there = {listed.key for listed in store.list("")}
    good = [one for one in here.backup_ids("hot") if one in settled and one not in stones.tombstoned]
    return [ref.key for one in good for ref in here.read("hot", one).manifest.objects if ref.key not in there]


def assert_everything_adds_up(store: MemoryStore, book: Book) -> None:
    """After two prunes that keep all: what is stored is what manifests refer to, and the books say so too.

    The first takes back what died at its commit; its objects are nobody's then, and go with the second.
    """
    for _ in range(2):
        prune(store, book, keep=1000)
    stones, here = look(store, "hot"), repository(store)
    there = {listed.key for listed in store.list("hot/duckdb/")}
    committed = [here.read("hot", one) for one in here.backup_ids("hot")]
    assert there == {ref.key for one in committed for ref in one.manifest.objects}
    assert stones.pending == frozenset()
    for one in committed:  # as the next run records what was killed between commit and record
        book.completed.setdefault(one.manifest.backup_id, SIZE)
    withdrawn = {one for one in stones.tombstoned if deletion(store).tombstone(one).cause == "withdrawn"}
    assert book.balance == sum(SIZE for key in there if layout.writer_of(key) not in withdrawn)
