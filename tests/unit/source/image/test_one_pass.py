"""A pass during which the writer came between is no image; the next one is, and holds what was committed before it."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.engines import ENGINES
from support.files_images import abort_checkpoints, taken, until
from support.files_writers import Application
from support.snapshots import rows

from duckback.errors import SourceBusy
from duckback.source.image import target as target_module
from duckback.source.image.copying import copy
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.log import LogCopy
from duckback.source.image.one_pass import one_pass
from duckback.source.image.take import take_image
from duckback.source.image.taken import Method
from duckback.source.image.target import Target

QUERY = "SELECT count(*), sum(h)::VARCHAR FROM t"

Act = Callable[[Application, Path], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.duckdb"


def meddle(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, before: bool = False, times: int = 1) -> None:
    """Let somebody act just before or after the blocks are copied, so many times."""
    real, left = Target.fill, times

    def fill(self: Target, source: int) -> Method:
        nonlocal left
        left -= 1
        if before and left >= 0:
            act()
        method = real(self, source)
        if not before and left >= 0:
            act()
        return method

    monkeypatch.setattr(Target, "fill", fill)


def filled(app: Application) -> None:
    app.run("CREATE TABLE t AS SELECT hash(i)::INT128 AS h, i FROM range(50000) r(i)", "CHECKPOINT")
    app.run("INSERT INTO t SELECT hash(i), i FROM range(100) r(i)")


def checkpoint(app: Application, path: Path) -> None:
    app.run("UPDATE t SET h = h + 1", "CHECKPOINT")


def checkpoint_and_commit(app: Application, path: Path) -> None:
    app.run("CHECKPOINT", "DELETE FROM t WHERE i < 10", "INSERT INTO t SELECT hash(i), i FROM range(500) r(i)")


def begin_a_checkpoint(app: Application, path: Path) -> None:
    app.run("SET debug_checkpoint_sleep_ms = 300")
    size = Path(f"{path}.wal").stat().st_size
    app.begin("CHECKPOINT", "checkpointer")
    until(lambda: not (wal := Path(f"{path}.wal")).exists() or wal.stat().st_size != size)


def close(app: Application, path: Path) -> None:
    app.close()


def crash(app: Application, path: Path) -> None:
    app.kill()


def cut_the_log(app: Application, path: Path) -> None:
    wal = Path(f"{path}.wal")
    os.truncate(wal, wal.stat().st_size - 30)


def rewrite_the_log(app: Application, path: Path) -> None:
    wal = Path(f"{path}.wal")
    data = wal.read_bytes()
    wal.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    wal.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])


def replace_the_log(app: Application, path: Path) -> None:
    wal, new = Path(f"{path}.wal"), Path(f"{path}.new")
    shutil.copy(wal, new)
    new.replace(wal)


def remove_the_log(app: Application, path: Path) -> None:
    Path(f"{path}.wal").unlink()


def replace_the_file(app: Application, path: Path) -> None:
    new = path.with_name("new")
    shutil.copy(path, new)
    new.replace(path)


def remove_the_file(app: Application, path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("act", [checkpoint, checkpoint_and_commit, close, crash])
def test_after_a_disturbance_the_next_pass_has_the_rows_of_then(
    *, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, act: Act, before: bool
) -> None:
    with Application(path, engine) as app:
        filled(app)
        [known] = app.run(QUERY)
        meddle(monkeypatch, lambda: act(app, path), before=before)
        (directory := tmp_path / "image").mkdir()
        image = take_image(path, directory, seconds=60)
        assert image.passes >= 2
        expected = known if act in {close, crash} else app.run(QUERY)[0]
    assert rows(image.path, QUERY) == [tuple(expected)]


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_a_checkpoint_that_begins_during_a_pass_disturbs_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    with Application(path, engine) as app:
        filled(app)
        [known] = app.run(QUERY)
        meddle(monkeypatch, lambda: begin_a_checkpoint(app, path))
        with pytest.raises(Disturbed, match=r"checkpoint|WAL"):
            one_pass(path, target := Target(tmp_path / "image.duckdb"))
        assert target.passes == 1
        assert rows(taken(path, tmp_path, seconds=60), QUERY) == [tuple(known)]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (cut_the_log, "WAL was cut"),
        (rewrite_the_log, "WAL was rewritten"),
        (replace_the_log, "WAL was replaced"),
        (remove_the_log, "WAL was removed"),
        (replace_the_file, "replaced by another file|more than one"),
        (remove_the_file, "it was removed"),
        (close, "WAL was removed|checkpoint ended"),
        (crash, "opened or closed"),
    ],
)
def test_a_pass_says_what_disturbed_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Act, reason: str
) -> None:
    with Application(path) as app:
        filled(app)
        meddle(monkeypatch, lambda: act(app, path))
        with pytest.raises(Disturbed, match=reason) as disturbed:
            one_pass(path, Target(tmp_path / "image.duckdb"))
        assert not disturbed.value.is_at_rest


def test_commits_during_a_pass_disturb_nothing_and_are_not_in_the_image(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Application(path) as app:
        filled(app)
        [known] = app.run(QUERY)
        meddle(monkeypatch, lambda: app.run("INSERT INTO t VALUES (1, 1)"))
        image = one_pass(path, Target(tmp_path / "image.duckdb"))
        assert rows(image.path, QUERY) == [tuple(known)]
        assert image.passes == 1


def test_an_application_that_opens_a_resting_database_during_a_pass_disturbs_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Application(path) as app:
        filled(app)
        [known] = app.run(QUERY)
        app.close()
    opened: list[Application] = []
    meddle(monkeypatch, lambda: opened.append(Application(path)))
    try:
        with pytest.raises(Disturbed, match="opened or closed"):
            one_pass(path, target := Target(tmp_path / "image.duckdb"))
        assert rows(one_pass(path, target).path, QUERY) == [tuple(known)]
    finally:
        for app in opened:
            app.kill()


def test_a_writer_that_always_checkpoints_in_the_middle_is_busy_and_four_ways_out_are_named(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory := tmp_path / "image").mkdir()
    with Application(path) as app:
        filled(app)
        meddle(monkeypatch, lambda: checkpoint(app, path), times=1_000_000)
        with pytest.raises(SourceBusy, match=r"checkpoint|WAL") as failure:
            take_image(path, directory, seconds=0.3)
    for way in ("--image-dir", "snapshot", "connection", "--capture-timeout"):
        assert way in failure.value.hint


@pytest.mark.parametrize("engine", ["1.4", "1.5"])
def test_a_file_that_is_written_over_at_rest_is_not_mixed(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # rsync --inplace of a file that the same script built with other rows: equal headers, and nobody holds a lock.
    one, two, live = tmp_path / "one", tmp_path / "two", tmp_path / "live.duckdb"
    for version, path in enumerate((one, two)):
        with Application(path, engine) as app:
            for table in "ab":
                app.run(f"CREATE TABLE {table} AS SELECT hash(i + {version}0000000) AS h FROM range(300000) r(i)")
            app.close()
    assert one.read_bytes()[:12288] == two.read_bytes()[:12288]
    shutil.copy(one, live)

    def half_and_half(source: int, target: int, end: int) -> int:
        half = 12288 + 262144 * ((end - 12288) // 262144 // 2)
        written = copy(source, target, half)
        with live.open("r+b") as file:
            file.write(two.read_bytes())
        return written + os.pwrite(target, os.pread(source, end - half, half), half)

    monkeypatch.setattr(target_module, "copy", half_and_half)
    image = taken(live, tmp_path)
    query = "SELECT (SELECT sum(h) FROM a), (SELECT sum(h) FROM b)"
    assert rows(image, query) == rows(two, query) != rows(one, query)


def test_a_log_that_cannot_be_copied_whole_leaves_no_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path := tmp_path / "a.wal").write_bytes(b"x" * 100)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with closing(LogCopy(path, tmp_path / "copy")) as log:
        monkeypatch.setattr(os, "pread", lambda fd, count, start: b"")
        with pytest.raises(Disturbed, match="WAL was cut"):
            log.fill()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_checkpoint_that_has_failed_is_waited_for_no_longer_than_until_nothing_moves(
    path: Path, tmp_path: Path
) -> None:
    with Application(path) as app:
        filled(app)
        [known] = app.run(QUERY)
        abort_checkpoints(app, ENGINES[-1])
        app.run("SET debug_checkpoint_sleep_ms = 1000")
        begin_a_checkpoint(app, path)
        with pytest.raises(Disturbed, match="a checkpoint is under way") as disturbed:
            one_pass(path, Target(tmp_path / "image.duckdb"))
        assert not disturbed.value.is_at_rest
        assert rows(taken(path, tmp_path, seconds=60), QUERY) == [tuple(known)]
