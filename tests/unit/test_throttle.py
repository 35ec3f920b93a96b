"""The bandwidth limit, by a clock of its own."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from support.place import Place

from duckback import Duckback
from duckback.store.digest import digest_file
from duckback.store.local import LocalStore
from duckback.store.throttled import Throttle, ThrottledStore, throttled


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.longest = 0.0

    def sleep(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        self.now += seconds


def test_bytes_pass_at_the_rate_and_sleeps_are_short() -> None:
    time = Time()
    throttle = Throttle(1_000, lambda: time.now, time.sleep)
    for _ in range(50):
        throttle.passed(200)
    assert abs(time.now - 10) < 0.01
    assert time.longest <= 0.5


def test_a_pause_is_not_followed_by_a_burst() -> None:
    time = Time()
    throttle = Throttle(1_000, lambda: time.now, time.sleep)
    time.now = 100.0
    throttle.passed(1_000)
    assert abs(time.now - 101) < 0.01


def test_threads_share_the_rate() -> None:
    throttle = Throttle(100_000)
    started = monotonic()
    threads = [threading.Thread(target=throttle.passed, args=(5_000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monotonic() - started >= 0.19


def test_puts_are_throttled_and_reads_are_not(tmp_path: Path) -> None:
    time = Time()
    store = ThrottledStore(LocalStore(tmp_path / "s"), Throttle(1_000, lambda: time.now, time.sleep))
    path = tmp_path / "file"
    path.write_bytes(b"x" * 5_000)
    heard: list[int] = []
    digest = digest_file(path, store.part_size)
    store.put_file("a/b", path, digest, metadata={}, content_type="x/y", on_bytes=heard.append)
    assert sum(heard) == 5_000
    assert abs(time.now - 5) < 0.1
    store.create("a/c", b"data")
    assert store.get("a/b", limit=10_000) == b"x" * 5_000
    assert store.fetch("a/b", tmp_path / "copy") == digest.sha256
    assert (store.head("a/b").size, [one.key for one in store.list("a/")]) == (5_000, ["a/b", "a/c"])
    assert (store.folders(""), store.url, store.uri("a")) == (["a"], str(tmp_path / "s"), str(tmp_path / "s" / "a"))
    assert store.local_path("a/b") == tmp_path / "s" / "a" / "b"
    assert store.delete(["a/b"]) == []
    assert store.abort_uploads("", before=datetime.now(UTC)) == []
    assert abs(time.now - 5) < 0.1


def test_no_limit_is_no_wrapper(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert throttled(store, None) is store


def test_a_backup_under_a_limit_is_the_same_backup(place: Place) -> None:
    done = Duckback(place.repo, state_dir=place.state, threads=1, bandwidth="10MB").backup(place.database)
    assert done.status == "completed"
    place.run("verify").worked()
    place.run("backup", place.database, "--bandwidth", "fast").failed(2, "is not a number of bytes such as 20MB")
