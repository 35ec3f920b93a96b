"""In whatever state a database file is, its image shows what DuckDB would show, and the file stays as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.engines import ENGINES
from support.files_images import (
    copied,
    crash_in_recovery,
    crash_with_two_logs,
    fail_in_checkpoint,
    files_of,
    taken,
)
from support.files_writers import Application
from support.snapshots import can_be_opened_elsewhere, rows

STORAGE = {"default": "", "newest": "STORAGE_VERSION 'latest'"}
ROWS = "SELECT i, s FROM t ORDER BY i"

Crash = Callable[[Application, Path, str], None]


def filled(app: Application) -> None:
    app.run(
        "CREATE TABLE t AS SELECT i::INT AS i, repeat('x', i::INT % 50) AS s FROM range(2000) r(i)",
        "CHECKPOINT",
        "DELETE FROM t WHERE i % 3 = 0",
        "UPDATE t SET s = 'changed' WHERE i < 100",
        "INSERT INTO t VALUES (9001, 'in the log')",
    )


def crash_with_a_log(app: Application, path: Path, engine: str) -> None:
    app.run("BEGIN", "INSERT INTO t VALUES (9999, 'uncommitted')", cursor="other")
    app.kill()


def crash_in_a_checkpoint(app: Application, path: Path, engine: str) -> None:
    # Because of a transaction that is older than the last commit, commits may overlap the checkpoint.
    if engine == "1.4":
        fail_in_checkpoint(app, engine)
    else:
        app.run("BEGIN", "FROM t", cursor="reader")
        app.run("INSERT INTO t VALUES (9002, 'in the log')")
        crash_with_two_logs(app, path, engine, "INSERT INTO t VALUES (9003, 'in the second log')")
    app.kill()


def crash_twice(app: Application, path: Path, engine: str) -> None:
    crash_in_a_checkpoint(app, path, engine)
    if engine == "1.4":
        # It never makes such a file, but may find one that a newer release left.
        Path(f"{path}.wal.recovery").write_bytes(Path(f"{path}.wal").read_bytes()[:100])
    else:
        crash_in_recovery(path, engine, "before_moving_recovery")
    assert Path(f"{path}.wal.recovery").exists()


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_that_is_open_is_captured_with_its_log_and_without(
    tmp_path: Path, engine: str, storage: str
) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path, engine, STORAGE[storage]) as app:
        filled(app)
        app.run("BEGIN", "INSERT INTO t VALUES (9999, 'uncommitted')", cursor="other")
        before = files_of(path)
        assert len(before) == 2
        image = taken(path, tmp_path)
        assert [list(row) for row in rows(image, ROWS)] == app.run(ROWS)
        app.run("ROLLBACK", cursor="other")
        assert files_of(path) == before
        assert not can_be_opened_elsewhere(path)

        app.run("CHECKPOINT")
        before = files_of(path)
        assert len(before) == 1
        image = taken(path, tmp_path)
        expected = app.run(ROWS)
        assert [list(row) for row in rows(image, ROWS)] == expected
        assert files_of(path) == before
        assert not can_be_opened_elsewhere(path)
        app.close()
    before = files_of(path)
    assert [list(row) for row in rows(taken(path, tmp_path), ROWS)] == expected
    assert files_of(path) == before


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("crash", [crash_with_a_log, crash_in_a_checkpoint, crash_twice])
def test_what_a_crash_left_is_captured_as_duckdb_recovers_it(
    tmp_path: Path, engine: str, storage: str, crash: Crash
) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path, engine, STORAGE[storage]) as app:
        filled(app)
        crash(app, path, engine)
    before = files_of(path)
    image = taken(path, tmp_path)
    assert files_of(path) == before
    with Application(copied(path, tmp_path), engine) as app:
        truth = app.run(ROWS)
    assert truth[-1][0] >= 9001
    assert [list(row) for row in rows(image, ROWS)] == truth
