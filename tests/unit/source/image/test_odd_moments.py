"""Moments in which a database is not what it is at most others: being made, being replaced, beside a foreign log."""

import os
import shutil
from pathlib import Path

import pytest
from support.engines import INSTALLED
from support.files_images import taken
from support.files_writers import Application
from support.snapshots import python_process, rows

from duckback.errors import SourceBusy, SourceError
from duckback.source.image import look as look_module
from duckback.source.image import target as target_module
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.look import look
from duckback.source.image.one_pass import one_pass
from duckback.source.image.take import take_image
from duckback.source.image.taken import Method
from duckback.source.image.target import Target

COUNT = "SELECT count(*) FROM t"

LOCKS_AN_EMPTY_FILE = """
    import fcntl, os, sys
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
    fcntl.lockf(fd, fcntl.LOCK_EX)
    print("open", flush=True)
    sys.stdin.read()
"""


def counting(path: Path, count: int, options: str = "") -> Path:
    with Application(path, INSTALLED, options) as app:
        app.run(f"CREATE TABLE t AS FROM range({count})")
        app.close()
    return path


def test_a_database_that_is_being_created_is_not_captured_yet(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with python_process(LOCKS_AN_EMPTY_FILE, path):
        with pytest.raises(Disturbed, match="it is being created"):
            one_pass(path, Target(tmp_path / "image.duckdb"))
        with pytest.raises(SourceBusy, match="it is being created"):
            taken(path, tmp_path, seconds=0)
    with pytest.raises(SourceError, match="is not a DuckDB database"):
        taken(path, tmp_path)


def test_a_log_of_another_state_of_the_database_is_not_taken_for_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path, INSTALLED, "STORAGE_VERSION 'latest'") as app:
        app.run("CREATE TABLE t AS FROM range(3)", "CHECKPOINT", "INSERT INTO t VALUES (9)")
        old = Path(f"{path}.wal").read_bytes()
        app.run("CHECKPOINT")
        Path(f"{path}.wal").write_bytes(old)
        with pytest.raises(Disturbed, match="its WAL belongs to another state of it"):
            one_pass(path, Target(tmp_path / "image.duckdb"))


def test_a_file_that_is_replaced_during_a_pass_is_captured_as_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, new = counting(tmp_path / "a.duckdb", 5), counting(tmp_path / "new", 7)
    real = Target.fill

    def fill(self: Target, source: int) -> Method:
        method = real(self, source)
        if new.exists():
            new.replace(path)
        return method

    monkeypatch.setattr(Target, "fill", fill)
    assert rows(taken(path, tmp_path), COUNT) == [(7,)]


def test_a_file_that_shares_its_blocks_is_as_long_as_the_original_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = counting(tmp_path / "a.duckdb", 5)
    (directory := tmp_path / "kept").mkdir()
    (directory / "image.duckdb").write_bytes(b"x" * 1_000_000)

    def clone(source: int, target: int) -> bool:
        os.pwrite(target, os.pread(source, 1 << 24, 0), 0)
        return True

    monkeypatch.setattr(target_module, "clone", clone)
    image = take_image(path, directory, seconds=0)
    assert (image.method, image.written_bytes) == ("reflink", 0)
    assert image.path.read_bytes() == path.read_bytes()


def test_a_look_identifies_a_file_with_its_log_and_gives_up_on_one_that_never_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path) as app:
        app.run("CREATE TABLE t AS FROM range(3)", "CHECKPOINT")
        assert look(path)["wal_sha256"] is None
        app.run("INSERT INTO t VALUES (9)")
        assert look(path)["wal_sha256"] is not None

    def disturb(*_: object) -> None:
        raise Disturbed("its header changed at every look")

    monkeypatch.setattr(look_module, "read_header", disturb)
    monkeypatch.setattr(look_module, "_PAUSE", 0)
    with pytest.raises(SourceBusy, match=r"cannot look at .*a\.duckdb: its header changed"):
        look(path)


def test_the_image_of_an_earlier_database_leaves_nothing_in_a_smaller_one(tmp_path: Path) -> None:
    (directory := tmp_path / "kept").mkdir()
    big, small = counting(tmp_path / "big", 300_000), counting(tmp_path / "small", 3)
    path = tmp_path / "a.duckdb"
    for source in (big, small, big):
        shutil.copy(source, path)
        image = take_image(path, directory, seconds=0)
        assert image.path.read_bytes() == source.read_bytes()
