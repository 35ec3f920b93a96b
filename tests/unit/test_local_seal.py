"""What a local store remembers of an object that it has read, and when it does not rely on that."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from duckback.store import files, local
from duckback.store.local import LocalStore


def sealed_store(tmp_path: Path) -> tuple[LocalStore, Path]:
    """A store with an object that was read once, and its file."""
    store = LocalStore(tmp_path / "store")
    store.create("a/b", b"what it holds")
    store.head("a/b")
    return store, tmp_path / "store" / "a" / "b"


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store reads from now on."""
    seen: list[str] = []

    def noting(file: BinaryIO, what: str) -> Iterator[bytes]:
        seen.append(what)
        return files.read_blocks(file, what)

    monkeypatch.setattr(local, "read_blocks", noting)
    return seen


def test_an_object_that_nobody_wrote_to_is_not_read_again_where_the_last_reading_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = sealed_store(tmp_path)
    before, seen = store.head("a/b"), reads(monkeypatch)
    assert store.head("a/b", known=True) == before
    assert seen == []
    assert store.head("a/b") == before
    assert len(seen) == 1


@pytest.mark.parametrize("how", ["written to", "replaced", "copied", "never read", "noted by a stranger"])
def test_an_object_that_may_have_changed_is_read_again(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, path = sealed_store(tmp_path)
    match how:
        case "written to":
            path.write_bytes(b"what it held!")
        case "replaced":
            path.unlink()
            path.write_bytes(b"what it held!")
        case "copied":
            copy = path.with_name("copy")
            shutil.copy2(path, copy)
            copy.replace(path)
        case "never read":
            os.removexattr(path, "user.duckback.sha256")
        case _:
            os.setxattr(path, "user.duckback.sha256", b"\xff nonsense")
    seen = reads(monkeypatch)
    assert store.head("a/b", known=True).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(seen) == 1


def test_a_file_system_without_attributes_is_read_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(os, "getxattr", refuse)
    store, _ = sealed_store(tmp_path)
    seen = reads(monkeypatch)
    assert store.head("a/b", known=True).size == 13
    assert len(seen) == 1
