"""A repository that exists in memory only, with a real embedded ledger and a double of TigerBeetle beside it."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from support.manifests import a_manifest

from duckback.audit.reading import states_of
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.evidence import Evidence, Held
from duckback.ledger.evidence import Remote as Answers
from duckback.ledger.limited import each
from duckback.ledger.outbox import Outbox
from duckback.ledger.remote import Remote
from duckback.model.events import Event, EventKind, Scope, event_of_backup, repository_account_id
from duckback.model.ids import new_id
from duckback.model.manifest import Fingerprint, LedgerHead, Manifest, ObjectRef, TableBackup, encode
from duckback.model.tombstone import Done, Doomed, Tombstone

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
REMOTE = Remote(addresses=("127.0.0.1:3000",), timeout=timedelta(seconds=30))


class World:
    """Backups, prunes and their events, as the processors write them.

    Attributes:
        held: what the repository holds, by backup.
        sizes: of the objects that are stored, by key.
    """

    def __init__(self, folder: Path, *, tigerbeetle: bool = True) -> None:
        self.repository_id = uuid4()
        self.ledger = EmbeddedLedger(folder / "world.sqlite")
        self.remote = REMOTE if tigerbeetle else None
        self.held: dict[UUID, Held] = {}
        self.tombstones: dict[UUID, Tombstone] = {}
        self.done: dict[UUID, Done] = {}
        self.sizes: dict[str, int] = {}
        self._count = 0

    def close(self) -> None:
        self.ledger.close()

    def start(self, scope: Scope = "full") -> Event:
        """A run begins."""
        self._count += 1
        started = START + timedelta(hours=self._count)
        backup_id = new_id(started)
        event = Event(
            kind=EventKind.STARTED,
            backup_id=backup_id,
            repository_id=self.repository_id,
            database="hot",
            scope=scope,
            started_at=started,
            retention_days=90,
            details={"backup_id": str(backup_id)},
        )
        self.ledger.record(event)
        return event

    def commit(self, started: Event, sizes: list[int], parent: UUID | None = None, **changes: Any) -> UUID:
        """It writes objects and a manifest, which refers to those of its parent too."""
        backup_id = started.backup_id
        written = tuple(
            ObjectRef(
                key=f"hot/duckdb/{started.scope}/{backup_id}-main.t.{number:04d}.parquet",
                size=size,
                sha256="ab" * 32,
                part_size=1,
                composite=None,
                encryption=None,
                rows=0,
                backup_id=backup_id,
            )
            for number, size in enumerate(sizes)
        )
        earlier = self.held[parent].manifest.objects if parent else ()
        manifest = a_manifest(
            self.repository_id,
            backup_id=backup_id,
            scope=started.scope,
            parent_id=parent,
            parent_manifest_sha256=self.held[parent].sha256 if parent else None,
            started_at=started.started_at,
            snapshot_at=started.started_at,
            retention_until=started.started_at + timedelta(days=90),
            ledger=LedgerHead(driver="embedded", id=self.ledger.identity(), head=self.ledger.head()),
        )
        self.held[backup_id] = held(with_objects(manifest, (*earlier, *written)).model_copy(update=changes))
        self.sizes |= {ref.key: ref.size for ref in written}
        return backup_id

    def record(self, backup_id: UUID, kind: EventKind = EventKind.COMPLETED) -> None:
        one = self.held[backup_id]
        run = uuid4() if kind in {EventKind.RECOVERY, EventKind.VERIFICATION} else None
        self.ledger.record(event_of_backup(one.manifest, one.sha256, kind, run_id=run))

    def backup(self, sizes: list[int], parent: UUID | None = None) -> UUID:
        """A whole run."""
        backup_id = self.commit(self.start("incremental" if parent else "full"), sizes, parent)
        self.record(backup_id)
        return backup_id

    def entomb(self, backup_id: UUID) -> None:
        """A prune begins."""
        one = self.held[backup_id]
        self.tombstones[backup_id] = Tombstone(
            backup_id=backup_id,
            scope=one.manifest.scope,
            cause="retention",
            objects=tuple(Doomed(key=ref.key, size=ref.size) for ref in one.manifest.objects),
            reason="older than 90 days",
            started_at=one.manifest.started_at,
            retention_days=90,
            manifest_sha256=one.sha256,
        )

    def prune(self, backup_id: UUID) -> None:
        """A whole prune: the manifest goes, and the objects that no other manifest refers to."""
        self.entomb(backup_id)
        gone, stone = self.held.pop(backup_id), self.tombstones[backup_id]
        needed = {ref.key for one in self.held.values() for ref in one.manifest.objects}
        keys = sorted({ref.key for ref in gone.manifest.objects} - needed)
        size = sum(self.sizes.pop(key) for key in keys)
        self.done[backup_id] = Done(backup_id=backup_id, keys=tuple(keys), bytes=size)
        self.ledger.record(
            Event(
                kind=EventKind.PRUNED,
                backup_id=backup_id,
                repository_id=self.repository_id,
                database="hot",
                scope=stone.scope,
                amount=size,
                started_at=stone.started_at,
                retention_days=stone.retention_days,
                manifest_sha256=stone.manifest_sha256,
                details={"backup_id": str(backup_id)},
            )
        )

    def deliver(self) -> None:
        assert Outbox(self.ledger, self.remote).deliver().unavailable is None

    def evidence(self, **changes: Any) -> Evidence:
        """All of it, with some things changed."""
        entries = tuple(self.ledger.entries())
        found = Evidence(
            backups=dict(self.held),
            tombstones=dict(self.tombstones),
            done=dict(self.done),
            ledger_id=self.ledger.identity(),
            heads=[entry.hash for entry in entries],
            entries=entries,
            deliveries=states_of(self.ledger, self.remote),
            last_delivered=self.ledger.deliveries(REMOTE.name).last(),
            remote=self.answers(),
        )
        return replace(found, **changes)

    def answers(self) -> Answers | None:
        if self.remote is None:
            return None
        account = repository_account_id(self.repository_id).int
        with closing(self.remote.open(each(30))) as receiver:
            return Answers(transfers=tuple(receiver.transfers(account)), balance=receiver.balance(account))


def held(manifest: Manifest) -> Held:
    return Held(manifest, hashlib.sha256(encode(manifest)).hexdigest())


def with_objects(manifest: Manifest, refs: tuple[ObjectRef, ...]) -> Manifest:
    """The manifest with a table of these objects, which its catalogue does not know."""
    table = TableBackup(
        schema_name="main",
        name="t",
        method="full",
        storage={},
        objects=refs,
        rows=0,
        raw_bytes=0,
        fingerprint=Fingerprint(),
        segments=(),
    )
    return manifest.model_copy(update={"tables": (table,)})


def worlds(folder: Path) -> Iterator[World]:
    world = World(folder)
    yield world
    world.close()


def without(mapping: Mapping[Any, Any], key: Any) -> dict[Any, Any]:
    return {one: value for one, value in mapping.items() if one != key}
