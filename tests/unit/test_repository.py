"""Keys, and the repository over a store in memory: making, committing, finding, refusing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.faulty import Fault, FaultyStore
from support.graves import entomb
from support.manifests import a_manifest, committed

from duckback.errors import AlreadyExists, IntegrityError, NoRepository, NoSuchBackup, StoreUnavailable
from duckback.model.ids import new_id
from duckback.model.manifest import encode
from duckback.repository import layout
from duckback.repository.choosing import identify
from duckback.repository.repository import Repository
from duckback.store.keys import check_key
from duckback.store.memory import MemoryStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-%~")


@pytest.fixture
def repository() -> Repository:
    return Repository.open_or_create(MemoryStore(), NOW)


@given(NAMES)
def test_a_name_in_a_key_is_decoded_to_itself_unless_it_was_cut(name: str) -> None:
    encoded = layout.encode_name(name)
    assert layout.decode_name(encoded) == (None if "~" in encoded else name)
    assert set(encoded) <= SAFE
    assert len(encoded) <= 120
    check_key(encoded)


@given(NAMES, NAMES)
def test_two_names_never_share_a_key(one: str, other: str) -> None:
    assert (layout.encode_name(one) == layout.encode_name(other)) == (one == other)


def test_names_that_differ_only_where_they_are_cut_stay_apart() -> None:
    long = ["x" * 300, "x" * 301, "x" * 300 + "é"]
    encoded = [layout.encode_name(name) for name in long]
    assert len(set(encoded)) == 3
    assert all(layout.decode_name(each) is None for each in encoded)


@given(NAMES, NAMES, NAMES)
def test_an_object_never_leaves_its_databases_prefix_and_fits_into_a_file_name(
    database: str, schema: str, table: str
) -> None:
    key = layout.object_key(
        database,
        scope="full",
        started_at=NOW,
        backup_id=UUID(int=7),
        schema=schema,
        table=table,
        ending=layout.ending_of("added", 3),
    )
    check_key(key)
    assert key.startswith(layout.data_prefix(database))
    assert key.count("/") == 6
    assert all(len(segment) <= 255 for segment in key.split("/"))


def test_keys_are_laid_out_as_the_specification_says() -> None:
    backup_id = UUID("01927f3e-0000-7000-8000-000000000000")
    key = layout.object_key(
        "hot",
        scope="full",
        started_at=NOW,
        backup_id=backup_id,
        schema="main",
        table="a.b",
        ending=layout.ending_of("rows", 12),
    )
    assert key == f"hot/duckdb/full/2026/11/23/{backup_id}-main.a%2Eb.0012.parquet"
    assert layout.manifest_key("hot", backup_id) == f"hot/manifests/{backup_id}.json"
    assert layout.backup_of_manifest(layout.manifest_key("hot", backup_id)) == backup_id
    assert layout.tombstone_key("hot", backup_id) == f"hot/pruned/{backup_id}.json"
    assert layout.backup_of_manifest("hot/manifests/notes.txt") is None


def test_of_concurrent_makers_one_wins_and_all_get_its_repository() -> None:
    store, barrier = MemoryStore(), Barrier(8)

    def make(_: int) -> UUID:
        barrier.wait()
        return Repository.open_or_create(store, NOW).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1


def test_opening_makes_nothing_and_says_what_is_there() -> None:
    store = MemoryStore()
    with pytest.raises(NoRepository) as raised:
        Repository.open(store)
    assert "nothing at all" in raised.value.hint
    store.create("prod/repository.json", b"{}")
    with pytest.raises(NoRepository) as raised:
        Repository.open(store)
    assert raised.value.hint.endswith("What is there: prod.")
    assert [listed.key for listed in store.list("")] == ["prod/repository.json"]


def test_a_maker_that_cannot_look_makes_nothing() -> None:
    store = FaultyStore(MemoryStore(), Fault("get", StoreUnavailable("down")))
    with pytest.raises(StoreUnavailable):
        Repository.open_or_create(store, NOW)
    assert list(store.inner.list("")) == []


def test_backups_are_ordered_by_the_moment_they_show_and_then_by_id(repository: Repository) -> None:
    ids = [new_id(NOW + timedelta(seconds=n)) for n in range(4)]
    moments = [NOW + timedelta(hours=3), NOW, NOW + timedelta(hours=3), NOW + timedelta(hours=1)]
    for backup_id, moment in zip(ids, moments, strict=True):
        committed(repository, a_manifest(repository.id, backup_id=backup_id, snapshot_at=moment))
    found = [one.manifest.backup_id for one in repository.backups("hot")]
    assert found == [ids[1], ids[3], ids[0], ids[2]]
    assert repository.backup_ids("hot") == sorted(ids)


def test_a_beginning_finds_the_one_backup_that_has_it(repository: Repository) -> None:
    ids = [UUID(f"01927f3e-000{n}-7000-8000-000000000000") for n in range(2)]
    for backup_id in ids:
        committed(repository, a_manifest(repository.id, backup_id=backup_id))
    assert repository.resolve("hot", "01927F3E-0001") == ids[1]
    assert repository.resolve("hot", str(ids[0])) == ids[0]
    with pytest.raises(NoSuchBackup, match="more than one"):
        repository.resolve("hot", "01927f3e")
    for wanted in ("02", "", "01927f3e-0001-7000-8000-0000000000001"):
        with pytest.raises(NoSuchBackup):
            repository.resolve("hot", wanted)


def test_what_is_committed_is_read_back_with_the_sha_256_of_its_bytes(repository: Repository) -> None:
    manifest = a_manifest(repository.id)
    written = committed(repository, manifest)
    assert repository.read("hot", manifest.backup_id) == written
    assert repository.is_committed("hot", manifest.backup_id)
    assert not repository.is_committed("hot", new_id(NOW))
    with pytest.raises(NoSuchBackup):
        repository.read("hot", new_id(NOW))


def test_another_manifest_under_the_same_id_is_refused_and_the_same_one_is_not(repository: Repository) -> None:
    manifest = a_manifest(repository.id)
    assert committed(repository, manifest) == committed(repository, manifest)
    with pytest.raises(AlreadyExists):
        committed(repository, manifest.model_copy(update={"duckback_version": "another"}))


def test_databases_are_those_with_manifests_cut_names_included(repository: Repository) -> None:
    names = ["hot", "a/b", "x" * 300]
    for name in names:
        committed(repository, a_manifest(repository.id, database=name))
    repository.store.create("empty/pruned/x.json", b"{}")
    assert repository.databases() == sorted(names)


@pytest.mark.parametrize("field", ["repository_id", "database", "backup_id"])
def test_a_manifest_that_belongs_elsewhere_is_refused(repository: Repository, field: str) -> None:
    honest = a_manifest(repository.id)
    forged = honest.model_copy(update={field: "other" if field == "database" else new_id(NOW)})
    repository.store.create(layout.manifest_key("hot", honest.backup_id), encode(forged))
    with pytest.raises(IntegrityError, match=f"is the manifest of another {field.removesuffix('_id')}"):
        repository.read("hot", honest.backup_id)


def test_a_backup_that_is_being_pruned_does_not_count_any_more(repository: Repository) -> None:
    first, second = (
        committed(repository, a_manifest(repository.id, snapshot_at=NOW + timedelta(hours=n))) for n in range(2)
    )
    entomb(repository.store, "hot", second.manifest.backup_id)
    assert repository.backups("hot") == [first]
    assert identify(repository, "hot", "latest") == first.manifest.backup_id
