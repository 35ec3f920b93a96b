"""Tombstones and proofs, as a prune and a verification leave them in the repository."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from support.manifests import a_manifest, committed

from duckback.audit.reading import remains
from duckback.errors import IntegrityError
from duckback.model.seal import seal, sealed
from duckback.model.tombstone import Done, Doomed, Tombstone, parse
from duckback.repository.layout import backup_of_proof, stage_of, tombstone_key
from duckback.repository.repository import Repository
from duckback.store.memory import MemoryStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BACKUP = uuid4()
STONE = Tombstone(
    backup_id=BACKUP,
    scope="full",
    cause="retention",
    objects=(Doomed(key="hot/duckdb/full/2026/08/01/x-main.t.0000.parquet", size=316),),
    reason="older than 90 days",
    started_at=NOW,
    retention_days=90,
    manifest_sha256="ab" * 32,
)
DONE = Done(backup_id=BACKUP, keys=(STONE.objects[0].key,), bytes=316)


@pytest.fixture
def repository() -> Repository:
    return Repository.open_or_create(MemoryStore(), NOW)


def test_what_is_written_is_read(repository: Repository) -> None:
    proven, store = uuid4(), repository.store
    store.create(f"hot/pruned/{BACKUP}.json", sealed(STONE))
    store.create(f"hot/pruned/{BACKUP}.done.json", sealed(DONE))
    store.create(f"cold/proofs/{proven}/run.json", b"{}")
    store.create("hot/pruned/notes.txt", b"not ours")
    found = remains(repository)
    assert (found.tombstones, found.done, found.proven) == ({BACKUP: STONE}, {BACKUP: DONE}, frozenset({proven}))


def test_a_tombstone_is_where_a_commit_looks_for_it() -> None:
    assert stage_of(tombstone_key("hot", BACKUP)) == (BACKUP, "tombstone")
    assert stage_of(f"hot/pruned/{BACKUP}.done.json") == (BACKUP, "done")
    assert stage_of(f"hot/manifests/{BACKUP}.json") is None
    assert backup_of_proof(f"hot/proofs/{BACKUP}/run.json") == BACKUP
    assert backup_of_proof(f"hot/proofs/{BACKUP}") is None


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"no JSON }", "the document"),
        (DONE.model_dump_json().replace('"bytes":316', '"bytes":-1').encode(), "bytes"),
        (DONE.model_dump_json().replace('"keys"', '"kets"').encode(), "keys"),
        (DONE.model_dump_json().replace('"bytes":316', '"bytes":"316"').encode(), "bytes"),
    ],
)
def test_a_damaged_one_is_an_integrity_error_that_names_it(data: bytes, field: str) -> None:
    with pytest.raises(IntegrityError, match=f"hot/x.json is damaged: {field}"):
        parse(Done, seal(data), source="hot/x.json")


def test_nothing_is_left_of_a_backup_that_is_there(repository: Repository) -> None:
    committed(repository, a_manifest(repository.id))
    found = remains(repository)
    assert (found.tombstones, found.done, found.proven) == ({}, {}, frozenset())
