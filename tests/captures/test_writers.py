"""Whatever its application does or has done with it, a database is captured as it was at one moment."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.engines import ENGINES, INSTALLED, environment
from support.files_images import (
    NAMESPACE,
    crash_in_recovery,
    crash_with_two_logs,
    fail_in_checkpoint,
    files_of,
    taken,
)
from support.files_writers import Application
from support.place import EXECUTABLE
from support.snapshots import rows

from duckback import Duckback
from duckback.source.image.take import take_image

COUNT = "SELECT count(*) FROM t"

# Rows are of the database's age: none may be lost or come twice.
_REOPENS = """
import duckdb, sys
i = 0
while True:
    with duckdb.connect(sys.argv[1]) as con:
        con.execute("CREATE TABLE IF NOT EXISTS t (i INT)")
        con.execute("INSERT INTO t VALUES (?)", [i])
        if i == 2:
            con.execute("CREATE TABLE big AS SELECT hash(range) h FROM range(1000000)")
    i += 1
    if i == 4:
        print(i, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.duckdb"


@contextmanager
def reopening(path: Path, engine: str) -> Iterator[None]:
    """An application that opens, writes and closes all the time."""
    env = {name: value for name, value in environment(engine).items() if not name.startswith("COVERAGE_")}
    process = subprocess.Popen([sys.executable, "-c", _REOPENS, str(path)], env=env, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_that_is_opened_and_closed_all_the_time_is_captured_in_the_end(
    tmp_path: Path, path: Path, engine: str
) -> None:
    with reopening(path, engine):
        seen = [rows(taken(path, tmp_path, seconds=30), "SELECT count(*), max(i) FROM t")[0] for _ in range(2)]
    assert all(count == last + 1 for count, last in seen)
    assert seen == sorted(seen)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_that_has_shrunk_is_captured(tmp_path: Path, path: Path, engine: str) -> None:
    # Its header is written with the number of blocks from before the file is cut.
    with Application(path, engine) as app:
        app.run("CREATE TABLE t AS FROM range(1000)", "CREATE TABLE u AS SELECT hash(range) h FROM range(300000)")
        app.run("CHECKPOINT", "CREATE TABLE w AS FROM range(10)", "CHECKPOINT", "DROP TABLE u", "CHECKPOINT")
        app.run("CREATE OR REPLACE TABLE w AS FROM range(10)", "CHECKPOINT")
        assert rows(taken(path, tmp_path), COUNT) == [(1000,)]
        app.close()
    assert rows(taken(path, tmp_path), COUNT) == [(1000,)]


def test_a_kept_image_follows_a_database_that_grows_and_shrinks(tmp_path: Path, path: Path) -> None:
    (directory := tmp_path / "kept").mkdir()
    query = "SELECT (SELECT sum(h) FROM t), (SELECT count(*) FROM w)"
    with Application(path) as app:
        app.run("CREATE TABLE w (i INT)", "CREATE TABLE t AS SELECT hash(range)::INT128 h FROM range(1000)")
        for size in (200_000, 10, 120_000, 60_000):
            app.run(f"CREATE OR REPLACE TABLE t AS SELECT hash(range)::INT128 h FROM range({size})", "CHECKPOINT")
            app.run("INSERT INTO w VALUES (1)")
            image = take_image(path, directory, seconds=1).path
            [expected] = app.run(query.replace("sum(h)", "sum(h)::VARCHAR"))
            assert rows(image, query.replace("sum(h)", "sum(h)::VARCHAR")) == [tuple(expected)]
            assert image.stat().st_size == path.stat().st_size


@pytest.mark.parametrize("options", ["BLOCK_SIZE 16384", "BLOCK_SIZE 16384, STORAGE_VERSION 'latest'"])
@pytest.mark.parametrize("engine", ENGINES)
def test_small_blocks_are_captured(tmp_path: Path, path: Path, engine: str, options: str) -> None:
    with Application(path, engine, options) as app:
        app.run("CREATE TABLE t AS SELECT hash(range) h FROM range(20000)", "CHECKPOINT", "INSERT INTO t VALUES (1)")
        [[expected]] = app.run("SELECT sum(h)::VARCHAR FROM t")
        assert rows(taken(path, tmp_path), "SELECT sum(h)::VARCHAR FROM t") == [(expected,)]


@pytest.mark.skipif(INSTALLED.startswith("1."), reason="only DuckDB 2 maps files")
def test_a_memory_mapped_file_is_captured_without_its_256_gib_of_hole(tmp_path: Path, path: Path) -> None:
    with Application(path, INSTALLED, "IO_MODE 'MMAP'") as app:
        app.run("CREATE TABLE t AS SELECT hash(range) h FROM range(100000)", "CHECKPOINT", "INSERT INTO t VALUES (1)")
        assert path.stat().st_size > 1 << 36
        (directory := tmp_path / "kept").mkdir()
        for _ in range(2):
            image = take_image(path, directory, seconds=1)
            assert rows(image.path, COUNT) == [(100_001,)]
            assert image.path.stat().st_blocks * 512 < 1 << 24
            assert image.written_bytes < 1 << 24


def test_a_new_file_of_the_same_name_is_another_database(tmp_path: Path, path: Path) -> None:
    new = tmp_path / "new.duckdb"
    (directory := tmp_path / "kept").mkdir()
    for file, count in ((path, 5), (new, 7)):
        with Application(file) as app:
            app.run(f"CREATE TABLE t AS FROM range({count})")
            app.close()
    with Application(path) as app:
        app.run("INSERT INTO t VALUES (1)")
        assert rows(take_image(path, directory, seconds=1).path, COUNT) == [(6,)]
        app.close()
    new.replace(path)
    assert rows(take_image(path, directory, seconds=1).path, COUNT) == [(7,)]


def test_a_1_4_writer_that_was_opened_after_a_crash_in_a_checkpoint_is_captured(tmp_path: Path, path: Path) -> None:
    # 1.4 leaves the marker of the checkpoint in its log and appends commits behind it, which newer releases refuse.
    with Application(path, "1.4") as app:
        app.run("CREATE TABLE t AS FROM range(3)", "CHECKPOINT", "INSERT INTO t VALUES (9)")
        fail_in_checkpoint(app, "1.4")
    with Application(path, "1.4") as app:
        assert app.run(COUNT) == [[4]]
        assert rows(taken(path, tmp_path, seconds=60), COUNT) == [(4,)]
        app.run("INSERT INTO t VALUES (10)")
        assert rows(taken(path, tmp_path, seconds=60), COUNT) == [(5,)]
    before = files_of(path)
    assert rows(taken(path, tmp_path), COUNT) == [(5,)]
    assert files_of(path) == before


@pytest.mark.parametrize("engine", ENGINES)
def test_an_application_that_lives_on_after_a_failed_checkpoint_is_captured(
    tmp_path: Path, path: Path, engine: str
) -> None:
    with Application(path, engine) as app:
        app.run("CREATE TABLE t AS FROM range(3)", "CHECKPOINT", "INSERT INTO t VALUES (9)")
        fail_in_checkpoint(app, engine)
        assert rows(taken(path, tmp_path, seconds=60), COUNT) == [(4,)]


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_a_second_log_that_a_crash_in_the_recovery_left_does_not_count_twice(
    tmp_path: Path, path: Path, engine: str
) -> None:
    # Merged into the first one already; it stays until the next checkpoint.
    with Application(path, engine) as app:
        app.run("CREATE TABLE t AS FROM range(3)", "CHECKPOINT")
        app.run("BEGIN", "FROM t", cursor="reader")
        app.run("INSERT INTO t VALUES (9)")
        crash_with_two_logs(app, path, engine, "INSERT INTO t VALUES (10)")
    crash_in_recovery(path, engine, "before_deleting_checkpoint_wal")
    assert Path(f"{path}.wal.checkpoint").exists()
    assert rows(taken(path, tmp_path), COUNT) == [(5,)]
    with Application(path, engine) as app:
        assert app.run(COUNT) == [[5]]
        assert rows(taken(path, tmp_path), COUNT) == [(5,)]


def test_a_database_that_cannot_be_written_to_is_backed_up(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / "a.duckdb"
    with Application(path) as app:
        app.run("CREATE TABLE t AS FROM range(3)", "CHECKPOINT", "INSERT INTO t VALUES (9)")
    before = files_of(path)
    assert set(before) == {"a.duckdb", "a.duckdb.wal"}
    inside = f'mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && ! touch {folder}/x && exec "$@"'
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", inside, "sh", str(EXECUTABLE), "backup", str(path), "--repo", str(tmp_path / "repo"),
         "--state-dir", str(tmp_path / "state")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert files_of(path) == before
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", threads=1)
    repo.restore(tmp_path / "b.duckdb", name="a")
    assert rows(tmp_path / "b.duckdb", COUNT) == [(4,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_busy_writer_committed_comes_back_from_the_repository(tmp_path: Path, path: Path, engine: str) -> None:
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", threads=1)
    with Application(path, engine) as app:
        app.run("CREATE TABLE t AS SELECT i, 'row ' || i AS s FROM range(1000) r(i)", "CHECKPOINT")
        app.run("DELETE FROM t WHERE i % 7 = 0", "UPDATE t SET s = NULL WHERE i < 5")
        app.run("BEGIN", "DELETE FROM t", cursor="other")
        expected = app.run("FROM t ORDER BY i")
        repo.backup(path)
        shutil.rmtree(tmp_path / "state" / "images")
        app.run("ROLLBACK", "INSERT INTO t VALUES (-1, 'later')", cursor="other")
    repo.restore(tmp_path / "b.duckdb", name="a")
    assert [list(row) for row in rows(tmp_path / "b.duckdb", "FROM t ORDER BY i")] == expected
    assert list((tmp_path / "state" / "staging").iterdir()) == []
