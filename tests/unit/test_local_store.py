"""The directory store when the disk is full, links fail, rights are missing or a step is cut short."""

import errno
import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from duckback.errors import AccessDenied, IntegrityError, NotFound, StoreError
from duckback.store.digest import digest_file
from duckback.store.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.write_bytes(b"some data" * 1000)
    return path


def _put(store: LocalStore, key: str, source: Path) -> None:
    digest = digest_file(source, store.part_size)
    store.put_file(key, source, digest, metadata={}, content_type="application/octet-stream")


def _fail(monkeypatch: pytest.MonkeyPatch, name: str, number: int, when: Callable[..., bool] = lambda *_: True) -> None:
    """Let a function of os fail with that error number when its arguments say so."""
    real = getattr(os, name)

    def failing(*args: Any, **kwargs: Any) -> Any:
        if when(*args):
            raise OSError(number, os.strerror(number), str(args[0]))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, name, failing)


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_file_is_linked_where_that_is_possible(store: LocalStore, source: Path) -> None:
    _put(store, "a/b", source)
    path = store.local_path("a/b")
    assert path is not None
    assert path.samefile(source)


def test_symlink_is_followed_before_it_is_linked(store: LocalStore, source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    _put(store, "a", tmp_path / "link")
    assert not (tmp_path / "store/a").is_symlink()


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_file_is_copied_where_it_cannot_be_linked(
    store: LocalStore, source: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    _fail(monkeypatch, "link", number, lambda origin, *_: Path(origin) == source)
    _put(store, "a/b", source)
    path = store.local_path("a/b")
    assert path is not None
    assert path.read_bytes() == source.read_bytes()
    assert not path.samefile(source)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _files(path.parent) == ["b"]


def test_copy_that_is_not_the_digest_is_refused(
    store: LocalStore, source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digest = digest_file(source, store.part_size)
    source.write_bytes(b"other data")
    _fail(monkeypatch, "link", errno.EXDEV)
    with pytest.raises(IntegrityError):
        store.put_file("a", source, digest, metadata={}, content_type="text/plain")
    assert _files(tmp_path / "store") == []


def test_taken_key_is_refused_by_put(store: LocalStore, source: Path) -> None:
    store.create("a", b"first")
    with pytest.raises(StoreError, match="exists already"):
        _put(store, "a", source)
    assert store.get("a", limit=10) == b"first"


def test_file_system_without_links_is_refused(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _fail(monkeypatch, "link", errno.EPERM)
    with pytest.raises(StoreError, match="no hard links") as caught:
        store.create("a/b", b"1")
    assert "file system with hard links" in caught.value.hint
    assert _files(tmp_path / "store") == []


def test_bytes_then_names_are_made_durable(
    store: LocalStore, source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps: list[str] = []
    sync, link = os.fsync, os.link

    def noting_sync(descriptor: int) -> None:
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink()).removeprefix(str(tmp_path)).partition(".tmp-")
        steps.append(f"sync {name[0]}{name[1]}")
        sync(descriptor)

    def noting_link(origin: Path, target: Path, **kwargs: Any) -> None:
        steps.append(f"link {Path(target).name[:5]}")
        link(origin, target, **kwargs)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(os, "link", noting_link)
    new_directories = ["sync ", "sync /store", "sync /store/x"]
    _put(store, "x/y/a", source)
    assert steps == [*new_directories, "link .tmp-", "sync /store/x/y/.tmp-", "link a", "sync /store/x/y"]
    steps.clear()
    store.create("x/y/b", b"1")
    assert steps == ["sync /store/x/y/.tmp-", "link b", "sync /store/x/y"]
    steps.clear()
    assert store.delete(["x/y/a", "x/y/b"]) == []
    assert steps == ["sync /store/x/y"]


@pytest.mark.parametrize("call", ["link", "fsync"])
@pytest.mark.parametrize(
    ("number", "error"), [(errno.EDQUOT, StoreError), (errno.EIO, StoreError), (errno.EROFS, AccessDenied)]
)
def test_failed_put_leaves_nothing(
    *,
    store: LocalStore,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    call: str,
    number: int,
    error: type[StoreError],
) -> None:
    store.create("a/kept", b"1")
    _fail(monkeypatch, call, number)
    with pytest.raises(error, match="a/b"):
        _put(store, "a/b", source)
    with pytest.raises(error, match="a/c"):
        store.create("a/c", b"1")
    assert _files(tmp_path / "store") == ["a/kept"]


def test_put_whose_name_may_not_last_is_withdrawn(
    store: LocalStore, source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store.create("a/kept", b"1")
    _fail(monkeypatch, "fsync", errno.EIO, lambda descriptor: stat.S_ISDIR(os.fstat(descriptor).st_mode))
    with pytest.raises(StoreError):
        _put(store, "a/b", source)
    assert _files(tmp_path / "store") == ["a/kept"]


def test_directory_that_cannot_be_synced_is_tolerated(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail(monkeypatch, "fsync", errno.EINVAL, lambda descriptor: stat.S_ISDIR(os.fstat(descriptor).st_mode))
    store.create("a/b", b"1")
    assert store.get("a/b", limit=1) == b"1"


def test_interrupted_put_leaves_nothing(store: LocalStore, source: Path, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    digest = digest_file(source, store.part_size)
    with pytest.raises(KeyboardInterrupt):
        store.put_file("a", source, digest, metadata={}, content_type="text/plain", on_bytes=stop)
    assert _files(tmp_path / "store") == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB; where mounting is not allowed, /dev/full says the same to a write."""
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", mount], check=False, capture_output=True)
    if made.returncode:
        mount.rmdir()
        yield Path("/dev/full")
        return
    try:
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)


def test_full_disk_is_named(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(1 << 20))
    root = small_disk
    if not root.is_dir():
        root = tmp_path / "full"
        monkeypatch.setattr("duckback.store.local_write.open_new", lambda path: small_disk.open("wb"))
        _fail(monkeypatch, "link", errno.EXDEV)
    store = LocalStore(root)
    with pytest.raises(StoreError, match="No space left") as caught:
        _put(store, "a/b", big)
    assert "Make room" in caught.value.hint
    assert _files(root) == []


def test_target_of_fetch_on_a_full_disk_is_removed(store: LocalStore, source: Path, tmp_path: Path) -> None:
    _put(store, "a", source)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match="out: No space left"):
        store.fetch("a", tmp_path / "out", on_bytes=full)
    assert not (tmp_path / "out").exists()


def test_unreadable_directory_is_an_error_not_a_short_list(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ["a/1", "b/1", "c/1"]:
        store.create(key, b"1")
    _fail(monkeypatch, "scandir", errno.EACCES, lambda directory: Path(directory).name == "b")
    with pytest.raises(AccessDenied, match="store/b"):
        list(store.list(""))
    assert [row.key for row in store.list("a")] == ["a/1"]


def test_root_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"")
    store = LocalStore(tmp_path / "store")
    with pytest.raises(StoreError):
        list(store.list(""))
    with pytest.raises(StoreError):
        store.create("a", b"1")


def test_missing_rights_are_access_denied(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create("a/b", b"1")
    _fail(monkeypatch, "open", errno.EACCES)
    with pytest.raises(AccessDenied) as caught:
        store.create("a/c", b"1")
    assert "right" in caught.value.hint


def test_directory_is_not_an_object(store: LocalStore) -> None:
    store.create("a/b", b"1")
    with pytest.raises(NotFound):
        store.get("a", limit=1)


def test_failed_deletes_are_reported(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ["a/1", "a/2"]:
        store.create(key, b"1")
    _fail(monkeypatch, "unlink", errno.EROFS, lambda path: Path(path).name == "1")
    assert [(each.key, each.reason) for each in store.delete(["a/1", "a/2"])] == [("a/1", "Read-only file system")]
    assert [row.key for row in store.list("")] == ["a/1"]


def test_delete_that_may_not_last_is_reported(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create("a/1", b"1")
    _fail(monkeypatch, "fsync", errno.EIO)
    assert [each.key for each in store.delete(["a/1"])] == ["a/1"]


def test_delete_removes_empty_directories_up_to_the_root(store: LocalStore, tmp_path: Path) -> None:
    for key in ["a/b/c/1", "a/2"]:
        store.create(key, b"1")
    store.delete(["a/b/c/1"])
    assert sorted(path.name for path in (tmp_path / "store/a").iterdir()) == ["2"]
    store.delete(["a/2"])
    assert list((tmp_path / "store").iterdir()) == []


def test_age_is_that_of_the_object_not_of_the_file_put(store: LocalStore, source: Path) -> None:
    """Prune spares what is young: an export that took hours must not look old when it arrives."""
    os.utime(source, (1, 1))
    before = time.time() - 1
    _put(store, "a", source)
    assert next(store.list("")).modified.timestamp() >= before


def test_young_temporary_of_an_old_file_is_spared(store: LocalStore, source: Path, tmp_path: Path) -> None:
    os.utime(source, (1, 1))
    (tmp_path / "store").mkdir()
    (tmp_path / "store/.tmp-x").hardlink_to(source)
    assert store.abort_uploads("", before=datetime.now(UTC) - timedelta(minutes=1)) == []
    assert store.abort_uploads("", before=datetime.now(UTC) + timedelta(minutes=1)) == [".tmp-x"]
    assert source.exists()


def test_directory_taken_away_by_a_delete_is_made_again(
    store: LocalStore, source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    link = os.link
    taken: list[Path] = []

    def link_too_late(origin: Path, target: Path, **kwargs: Any) -> None:
        if not taken:
            taken.append(target)
            Path(target).parent.rmdir()
        link(origin, target, **kwargs)

    monkeypatch.setattr(os, "link", link_too_late)
    _put(store, "a/b", source)
    assert _files(tmp_path / "store") == ["a/b"]
