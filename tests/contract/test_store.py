"""What `duckback.store.base.Store` promises, held against every driver."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from support.pages import example
from support.seaweed import Seaweed

from duckback.errors import AlreadyExists, DuckbackError, IntegrityError, NotFound, StoreError
from duckback.store.base import Store
from duckback.store.digest import digest_file
from duckback.store.local import LocalStore
from duckback.store.memory import MemoryStore
from duckback.store.retrying import RetryingStore
from duckback.store.s3 import S3Store

FEW = [b"", b"x", bytes(range(256)) * 5000]
ESCAPES = ["../out", "a/../../out", "/etc/passwd", "a//b", "a/", "", ".", "a/./b", "a\0b", "a/.tmp-b"]


@dataclass(frozen=True)
class Driver:
    """A driver under test; `leave` begins a put that never ends, None where that leaves nothing."""

    store: Store
    keeps_metadata: bool
    leave: Callable[[str], None] | None = None


@pytest.fixture(params=["memory", "local", "s3", "retrying", "howto"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Driver]:
    if request.param == "memory":
        yield Driver(MemoryStore(), keeps_metadata=True)
    elif request.param == "retrying":
        yield Driver(RetryingStore(MemoryStore(), seconds=60), keeps_metadata=True)
    elif request.param == "howto":
        folder = tmp_path / "store"
        folder.mkdir()
        yield Driver(example("howto/new-store.md", "howto_store").SqliteStore(folder / "file"), keeps_metadata=True)
    elif request.param == "local":
        root = tmp_path / "store"
        yield Driver(LocalStore(root), keeps_metadata=False, leave=lambda key: _leave_file(root / key))
    else:
        server = cast("Seaweed", request.getfixturevalue("seaweed"))
        bucket = server.bucket()
        client = server.client()

        def leave(key: str) -> None:
            client.create_multipart_upload(Bucket=bucket, Key=f"some/where/{key}")

        yield Driver(S3Store(bucket, "some/where", server.options()), keeps_metadata=True, leave=leave)
        client.close()


@pytest.fixture
def store(driver: Driver) -> Store:
    return driver.store


def _leave_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(f".tmp-{uuid4().hex}").write_bytes(b"half")


def _put(store: Store, key: str, path: Path, data: bytes, on_bytes: Callable[[int], None] | None = None) -> None:
    path.write_bytes(data)
    digest = digest_file(path, store.part_size)
    metadata = {"backup-id": "0192", "checksum-sha256": digest.sha256}
    store.put_file(key, path, digest, metadata=metadata, content_type="application/x-test", on_bytes=on_bytes)


def _keys(store: Store, prefix: str = "") -> list[str]:
    return [row.key for row in store.list(prefix)]


@pytest.mark.parametrize("data", FEW, ids=["empty", "one byte", "1.3 MB"])
def test_file_comes_back_as_it_went(store: Store, tmp_path: Path, data: bytes) -> None:
    sent, received = Counter[str](), Counter[str]()
    _put(store, "db/full/a.parquet", tmp_path / "in", data, lambda n: sent.update(n=n))
    sha256 = store.fetch("db/full/a.parquet", tmp_path / "out", on_bytes=lambda n: received.update(n=n))
    assert (tmp_path / "out").read_bytes() == data
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert sent["n"] == received["n"] == len(data)
    assert store.get("db/full/a.parquet", limit=len(data)) == data


def test_head_says_what_is_stored(driver: Driver, tmp_path: Path) -> None:
    _put(driver.store, "a/b", tmp_path / "in", b"data")
    found = driver.store.head("a/b")
    assert (found.key, found.size, found.sha256) == ("a/b", 4, hashlib.sha256(b"data").hexdigest())
    assert found.composite is None
    if driver.keeps_metadata:
        assert found.content_type == "application/x-test"
        assert found.metadata == {"backup-id": "0192", "checksum-sha256": found.sha256}
    else:
        assert found.content_type is None
        assert found.metadata == {}


def test_put_is_listed_at_once_with_size_and_time(store: Store, tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    for number in range(20):
        _put(store, f"a/{number:02}", tmp_path / "in", b"x" * number)
        assert [(row.key, row.size) for row in store.list("a/")][-1] == (f"a/{number:02}", number)
    for row in store.list("a/"):
        assert before <= row.modified <= datetime.now(UTC) + timedelta(seconds=2)
        assert row.modified.utcoffset() == timedelta(0)


def test_addresses_hold_the_key(store: Store, tmp_path: Path) -> None:
    _put(store, "a/b", tmp_path / "in", b"data")
    assert store.uri("a/b") == f"{store.url}/a/b"
    path = store.local_path("a/b")
    assert path is None or path.read_bytes() == b"data"


@pytest.mark.parametrize("wrong", [b"another", b"dat", b""])
def test_file_that_is_not_its_digest_is_refused(store: Store, tmp_path: Path, wrong: bytes) -> None:
    path = tmp_path / "in"
    path.write_bytes(wrong)
    digest = digest_file(path, store.part_size)
    path.write_bytes(b"data")
    with pytest.raises(IntegrityError):
        store.put_file("a/b", path, digest, metadata={}, content_type="application/octet-stream")
    assert _keys(store) == []
    with pytest.raises(NotFound):
        store.head("a/b")


def test_missing_file_is_an_error_of_the_tree(store: Store, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"data")
    digest = digest_file(tmp_path / "in", store.part_size)
    with pytest.raises(StoreError, match="nothing-there"):
        store.put_file("a/b", tmp_path / "nothing-there", digest, metadata={}, content_type="text/plain")
    assert _keys(store) == []


def test_create_makes_a_key_once(store: Store) -> None:
    store.create("a/b.json", b"first")
    with pytest.raises(AlreadyExists):
        store.create("a/b.json", b"second")
    assert store.get("a/b.json", limit=100) == b"first"
    assert _keys(store) == ["a/b.json"]
    assert store.delete(["a/b.json"]) == []
    store.create("a/b.json", b"third")
    assert store.get("a/b.json", limit=100) == b"third"


def test_create_has_one_winner(store: Store) -> None:
    start = threading.Barrier(16)

    def run(number: int) -> int | None:
        start.wait()
        try:
            store.create("race/key", b"%d" % number)
        except AlreadyExists:
            return None
        return number

    with ThreadPoolExecutor(16) as pool:
        winners = [each for each in pool.map(run, range(16)) if each is not None]
    assert len(winners) == 1
    assert store.get("race/key", limit=10) == b"%d" % winners[0]
    assert _keys(store) == ["race/key"]


def test_listing_is_complete_and_in_key_order(store: Store) -> None:
    keys = [f"many/{number % 7}{'/-.'[number % 3]}{number:04}" for number in range(1050)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: store.create(key, b"1"), keys))
    assert _keys(store) == sorted(keys)
    assert _keys(store, "many/") == sorted(keys)
    assert _keys(store, "many/3") == sorted(key for key in keys if key.startswith("many/3"))
    assert store.delete(keys) == []
    assert _keys(store) == []


def test_prefix_is_of_the_key_not_of_the_directory(store: Store) -> None:
    keys = ["a-b", "a.b", "a/b", "a/bc/d", "a0", "ab/c", "b"]
    for key in keys:
        store.create(key, b"1")
    assert _keys(store) == keys
    assert _keys(store, "a") == keys[:-1]
    assert _keys(store, "a/") == ["a/b", "a/bc/d"]
    assert _keys(store, "a/b") == ["a/b", "a/bc/d"]
    assert _keys(store, "a/bc/") == ["a/bc/d"]
    assert _keys(store, "nothing/") == []


def test_folders_are_the_next_segments(driver: Driver) -> None:
    store = driver.store
    for key in ["top.json", "b/x/1", "b/x/2", "b/y-z/1", "b/file", "a/1", "b-c/1"]:
        store.create(key, b"1")
    if driver.leave:
        driver.leave("unfinished/x")
    assert store.folders("") == ["a", "b", "b-c"]
    assert store.folders("b/") == ["x", "y-z"]
    assert store.folders("a/") == store.folders("nothing/") == []
    with pytest.raises(IntegrityError):
        store.folders("../")


def test_empty_store_lists_nothing(store: Store) -> None:
    assert _keys(store) == []
    assert _keys(store, "some/prefix") == []


def test_delete_is_idempotent_and_exact(store: Store) -> None:
    for key in ["a/b", "a/bc", "c/d/e"]:
        store.create(key, b"1")
    assert store.delete(["a/b", "a/b", "nothing", "a/nothing/there"]) == []
    assert store.delete(["a/b"]) == []
    assert store.delete([]) == []
    assert _keys(store) == ["a/bc", "c/d/e"]
    assert store.delete(["a"]) == []
    assert _keys(store) == ["a/bc", "c/d/e"]
    assert store.delete(["a/bc", "c/d/e"]) == []
    assert _keys(store) == []


def test_what_is_not_there_is_not_found(store: Store, tmp_path: Path) -> None:
    store.create("a/b", b"1")
    for key in ["nothing", "a", "a/b/c"]:
        with pytest.raises(NotFound):
            store.head(key)
        with pytest.raises(NotFound):
            store.get(key, limit=10)
        with pytest.raises(NotFound):
            store.read(key, 0, 1)
        with pytest.raises(NotFound):
            store.fetch(key, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_get_is_bounded(store: Store) -> None:
    store.create("a", b"12345")
    assert store.get("a", limit=5) == b"12345"
    with pytest.raises(IntegrityError, match="5 bytes"):
        store.get("a", limit=4)


def test_a_part_is_read_as_it_lies_and_never_short(store: Store) -> None:
    store.create("a", b"0123456789")
    assert [store.read("a", *part) for part in [(0, 1), (3, 4), (9, 1), (0, 10)]] == [
        b"0",
        b"3456",
        b"9",
        b"0123456789",
    ]
    for part in [(9, 2), (10, 1), (25, 5)]:
        with pytest.raises(IntegrityError, match="bytes where"):
            store.read("a", *part)


def test_fetch_makes_new_files_only(store: Store, tmp_path: Path) -> None:
    store.create("a", b"12345")
    (tmp_path / "out").write_bytes(b"precious")
    with pytest.raises(StoreError, match="out"):
        store.fetch("a", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"precious"


def test_fetch_that_is_broken_off_leaves_nothing(store: Store, tmp_path: Path) -> None:
    store.create("a", b"12345")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch("a", tmp_path / "out", on_bytes=stop)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", ESCAPES)
def test_keys_that_leave_the_root_are_refused(store: Store, tmp_path: Path, key: str) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"data")
    digest = digest_file(path, store.part_size)
    store.create("kept", b"1")
    calls: list[Callable[[], object]] = [
        lambda: store.create(key, b"1"),
        lambda: store.put_file(key, path, digest, metadata={}, content_type="text/plain"),
        lambda: store.get(key, limit=10),
        lambda: store.fetch(key, tmp_path / "out"),
        lambda: store.head(key),
        lambda: store.delete(["kept", key]),
        lambda: store.uri(key),
        lambda: store.local_path(key),
    ]
    for call in calls:
        with pytest.raises(IntegrityError):
            call()
    assert _keys(store) == ["kept"]
    assert sorted(tmp_path.iterdir()) == sorted({path, *tmp_path.glob("store")})


@pytest.mark.parametrize("prefix", ["../", "/", "a//", "a/../b"])
def test_prefixes_that_leave_the_root_are_refused(store: Store, prefix: str) -> None:
    with pytest.raises(IntegrityError):
        list(store.list(prefix))
    with pytest.raises(IntegrityError):
        store.abort_uploads(prefix, before=datetime.now(UTC))


def test_unfinished_puts_are_invisible_and_removed_when_old(driver: Driver) -> None:
    store, future = driver.store, datetime.now(UTC) + timedelta(hours=1)
    store.create("db/kept", b"1")
    if driver.leave is None:
        assert store.abort_uploads("", before=future) == []
        return
    for key in ["db/a/x", "db/b/x", "other/x"]:
        driver.leave(key)
    assert _keys(store) == ["db/kept"]
    assert store.abort_uploads("db/", before=datetime.now(UTC) - timedelta(hours=1)) == []
    assert [key.rpartition("/")[0] for key in sorted(store.abort_uploads("db/", before=future))] == ["db/a", "db/b"]
    assert store.abort_uploads("db/", before=future) == []
    assert len(store.abort_uploads("", before=future)) == 1
    assert _keys(store) == ["db/kept"]


def test_puts_and_deletes_of_one_directory_at_a_time_do_not_disturb(store: Store, tmp_path: Path) -> None:
    def run(number: int) -> None:
        for turn in range(15):
            key = f"busy/here/{number}-{turn}"
            _put(store, key, tmp_path / f"in-{number}", b"%d" % turn)
            assert store.get(key, limit=10) == b"%d" % turn
            assert store.delete([key]) == []

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert _keys(store) == []


def test_every_error_is_of_the_tree(store: Store) -> None:
    for call in (lambda: store.get("no", limit=1), lambda: store.create("../no", b"")):
        with pytest.raises(DuckbackError) as caught:
            call()
        assert caught.value.message[0].islower() or caught.value.message.startswith(("/", "s3://", "memory://"))
        assert not caught.value.message.endswith(".")
