"""A file is unchanged only if nothing about it has changed, and its last change was long enough ago."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engines import ENGINES
from support.files_writers import Application

from duckback.model.manifest import FileIdentity
from duckback.model.unchanged import FileStatus, may_be_unchanged, why_changed
from duckback.source.image.look import look

CHANGED = 1_790_000_000
SEEN = datetime.fromtimestamp(CHANGED + 60, UTC)


def identity(**fields: object) -> FileIdentity:
    usual = {
        "path": "/a", "host": "here", "device": 1, "inode": 2, "size": 3, "mtime_ns": CHANGED * 10**9,
        "ctime_ns": CHANGED * 10**9, "header_sha256": "0" * 64, "wal_sha256": "1" * 64, "seen_at": SEEN,
    }  # fmt: skip
    return FileIdentity.model_validate({**usual, **fields})


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("host", "there", "another machine, here"),
        ("device", 9, "another file"),
        ("inode", 9, "another file"),
        ("size", 9, "size"),
        ("mtime_ns", 9, "written to"),
        ("ctime_ns", 9, "written to"),
        ("header_sha256", "9" * 64, "header"),
        ("wal_sha256", "9" * 64, "log"),
        ("wal_sha256", None, "log"),
    ],
)
def test_every_difference_is_a_reason(field: str, value: object, reason: str) -> None:
    then, now = identity(), identity(**{field: value})
    assert reason in (why_changed(then, now) or "")
    assert why_changed(now, then) is not None


@pytest.mark.parametrize("field", FileStatus._fields)
def test_a_file_whose_status_tells_a_difference_needs_no_look(field: str) -> None:
    def status(of: FileIdentity) -> FileStatus:
        return FileStatus(*(getattr(of, name) for name in FileStatus._fields))

    then = identity()
    assert may_be_unchanged(then, status(then))
    assert not may_be_unchanged(then, status(identity(**{field: "there" if field == "host" else 9})))
    assert not may_be_unchanged(identity(seen_at=SEEN - timedelta(seconds=59)), status(then))
    assert not may_be_unchanged(then, None)


def test_another_path_or_a_later_look_is_no_change() -> None:
    assert why_changed(identity(), identity()) is None
    assert why_changed(identity(), identity(path="/b", seen_at=SEEN + timedelta(days=1))) is None


@pytest.mark.parametrize("field", ["mtime_ns", "ctime_ns"])
def test_a_change_within_two_seconds_before_the_look_may_not_have_been_the_last(field: str) -> None:
    for seconds, is_known in ((1.9, False), (2, False), (2.1, True), (-5, False)):
        times = {field: int((CHANGED + 60 - seconds) * 10**9)}
        assert (why_changed(identity(**times), identity(**times)) is None) == is_known


@settings(deadline=None)
@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1))
def test_any_time_of_change_has_an_answer(mtime: int, ctime: int) -> None:
    times = {"mtime_ns": mtime, "ctime_ns": ctime}
    is_long_ago = max(mtime, ctime) < (CHANGED + 58) * 10**9
    assert (why_changed(identity(**times), identity(**times)) is None) == is_long_ago


def built(path: Path, value: int, engine: str) -> Path:
    with Application(path, engine) as app:
        app.run(f"CREATE TABLE t AS SELECT (hash(i) + {value})::INT128 AS h FROM range(20000) r(i)")
        app.close()
    return path


def seen(path: Path) -> FileIdentity:
    return FileIdentity(**look(path))


def by_rename(path: Path, new: Path) -> None:
    new.replace(path)


def in_place(path: Path, new: Path) -> None:
    with path.open("r+b") as file:
        file.write(new.read_bytes())
        file.truncate()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("install", [by_rename, in_place])
def test_a_file_that_the_same_script_built_with_other_rows_is_changed(
    tmp_path: Path, engine: str, install: Callable[[Path, Path], None]
) -> None:
    path, new = built(tmp_path / "a.duckdb", 1, engine), built(tmp_path / "b.duckdb", 2, engine)
    then, other = seen(path), seen(new)
    if engine != ENGINES[-1]:
        assert (then.header_sha256, then.wal_sha256, then.size) == (other.header_sha256, other.wal_sha256, other.size)
    long_ago = {"seen_at": then.seen_at + timedelta(hours=1)}
    then = then.model_copy(update=long_ago)
    assert why_changed(then, seen(path)) is None
    install(path, new)
    assert why_changed(then, seen(path)) is not None
