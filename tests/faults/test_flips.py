"""Any byte that is flipped, any object or manifest that is removed, swapped or replayed, is found: nothing but the
repository is at hand, no ledger and no proofs.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.bench import Bench, benches

from duckback import Duckback
from duckback.errors import DuckbackError, IntegrityError, NoSuchBackup
from duckback.model.manifest import decode
from duckback.repository.objects import ObjectFiles
from duckback.repository.repository import Repository
from duckback.source.demo import differing_rows
from duckback.store.memory import MemoryStore

SEED = 20261125
FLIPS = int(os.environ.get("DUCKBACK_SOAK_FLIPS", "40"))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    def another(duckback: Duckback, database: Path) -> None:
        duckback.backup(database, scope="full")

    yield from benches(tmp_path_factory.mktemp("bench"), another)


def put(store: MemoryStore, key: str, data: bytes) -> None:
    store._objects[key] = replace(store._objects[key], data=data)


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)


def concerned(bench: Bench, key: str) -> list[str]:
    """Ids of the backups that the key is part of."""
    if "/manifests/" in key:
        return [key.rpartition("/")[2].removesuffix(".json")]
    manifests = [decode(bench.data(one), source=one) for one in bench.keys("/manifests/")]
    return [str(one.backup_id) for one in manifests if any(ref.key == key for ref in one.objects)]


def assert_found(bench: Bench, store: MemoryStore, ids: list[str], *, gone: bool = False) -> None:
    """Verification and restore find it, for each of these backups; the others come back right."""
    folder = bench.folder()
    duckback = bench.open(store, bench.root / "no-ledger")
    try:
        results = {str(one.backup_id): one.is_good for one in duckback.verify(level="data").results}
    except IntegrityError:
        results = dict.fromkeys(ids, False)
    assert {one: results[one] for one in ids} == dict.fromkeys(ids, False)
    for one in ids:
        with pytest.raises(NoSuchBackup if gone else IntegrityError):
            duckback.restore(folder / one, backup=one)
        assert not (folder / one).exists()
    for key in folder.iterdir():
        pytest.fail(f"{key} was left")


def test_what_is_not_touched_is_found_good_and_comes_back(bench: Bench) -> None:
    duckback = bench.open(bench.copy(), bench.root / "no-ledger")
    assert [one.is_good for one in duckback.verify(level="data").results] == [True] * 3
    target = bench.folder() / "x"
    duckback.restore(target)
    assert not any(differing_rows(bench.before, target).values())


def test_every_bit_of_every_manifest_counts(bench: Bench) -> None:
    for key in bench.keys("/manifests/"):
        data = bench.data(key)
        for at in range(len(data)):
            with pytest.raises(IntegrityError):
                decode(flipped(data, at, at % 8), source=key)


def test_every_byte_of_every_object_counts(bench: Bench, tmp_path: Path) -> None:
    refs = {ref.key: ref for one in bench.keys("/manifests/") for ref in decode(bench.data(one), source=one).objects}
    store = bench.copy()
    files = ObjectFiles(store, None)
    tried = 0
    for key, ref in refs.items():
        data = bench.data(key)
        for at in range(0, len(data), max(1, len(data) // 60)):
            put(store, key, flipped(data, at, at % 8))
            with pytest.raises(IntegrityError):
                files.get([ref], tmp_path / f"f{tried}", lambda _: None)
            tried += 1
        put(store, key, data)
        assert files.get([ref], tmp_path / f"f{tried}", lambda _: None)
        tried += 1
    assert len(refs) >= 6


CLASSES: dict[str, Callable[[bytes], int]] = {
    "the first magic": lambda data: 1,
    "a page header": lambda data: 6,
    "a page": lambda data: len(data) // 3,
    "the footer": lambda data: len(data) - int.from_bytes(data[-8:-4], "little") // 2 - 8,
    "the footer's length": lambda data: len(data) - 8,
    "the last magic": lambda data: len(data) - 1,
}


@pytest.mark.parametrize("kind", [".0000.parquet", ".added.0000.parquet", ".removed.parquet"])
@pytest.mark.parametrize("name", CLASSES)
def test_a_flip_in_any_part_of_a_parquet_file_is_found(bench: Bench, kind: str, name: str) -> None:
    key = next(key for key in bench.keys(".visits") if key.endswith(kind))
    store = bench.copy()
    put(store, key, flipped(bench.data(key), CLASSES[name](bench.data(key))))
    assert_found(bench, store, concerned(bench, key))


@pytest.mark.parametrize(
    "part", [b'"format"', b'"seconds":{', b'"snapshot_at":"', b'"rows":', b'"sum1":"', b'"sha256":"']
)
@pytest.mark.parametrize("last", [False, True])
def test_a_flip_in_any_part_of_a_manifest_is_found(bench: Bench, part: bytes, *, last: bool) -> None:
    key = bench.keys("/manifests/")[1]
    data = bench.data(key)
    at = (data.rindex(part) if last else data.index(part)) + len(part)
    store = bench.copy()
    put(store, key, flipped(data, at))
    assert_found(bench, store, concerned(bench, key))


def test_a_flip_anywhere_in_the_descriptor_is_found(bench: Bench) -> None:
    data = bench.data("repository.json")
    for at in range(len(data)):
        store = bench.copy()
        put(store, "repository.json", flipped(data, at, at % 7))
        with pytest.raises(IntegrityError):
            Repository.open(store)


def test_random_flips_are_all_found(bench: Bench) -> None:
    chance = random.Random(SEED)
    keys = [*bench.keys(".parquet"), *bench.keys("/manifests/")]
    for _ in range(FLIPS):
        key = chance.choice(keys)
        at, bit = chance.randrange(len(bench.data(key))), chance.randrange(8)
        store = bench.copy()
        put(store, key, flipped(bench.data(key), at, bit))
        assert_found(bench, store, concerned(bench, key))
    print(f"{FLIPS} flips with seed {SEED}: all found by verify --level data and by restore")


def test_an_object_that_is_removed_is_found(bench: Bench) -> None:
    for key in bench.keys(".parquet"):
        store = bench.copy()
        del store._objects[key]
        assert_found(bench, store, concerned(bench, key))


def test_objects_that_change_places_or_come_back_from_before_are_found(bench: Bench) -> None:
    visits = [key for key in bench.keys(".visits") if key.endswith(".0000.parquet") and "added" not in key]
    first, last = visits[0], visits[-1]
    for swap in ({first: last, last: first}, {last: first}, {first: last}):
        store = bench.copy()
        for key, other in swap.items():
            put(store, key, bench.data(other))
        for key in swap:
            assert_found(bench, store, concerned(bench, key))


def test_manifests_that_change_places_or_come_back_from_before_are_found(bench: Bench) -> None:
    first, second, third = bench.keys("/manifests/")
    for swap in ({first: third, third: first}, {second: first}, {third: second}):
        store = bench.copy()
        for key, other in swap.items():
            put(store, key, bench.data(other))
        for key in swap:
            assert_found(bench, store, concerned(bench, key))


def test_a_manifest_that_is_removed_is_found_by_its_child(bench: Bench) -> None:
    first = bench.keys("/manifests/")[0]
    store = bench.copy()
    del store._objects[first]
    assert_found(bench, store, concerned(bench, first), gone=True)


def test_a_newest_manifest_that_is_removed_is_found_by_the_ledger(bench: Bench) -> None:
    store = bench.copy()
    del store._objects[bench.keys("/manifests/")[-1]]
    duckback = bench.open(store, bench.root / "state")
    assert [one.is_good for one in duckback.verify(level="data").results] == [True, True, False]
    with pytest.raises(DuckbackError, match="the ledger"):
        duckback.restore(bench.folder() / "x")
