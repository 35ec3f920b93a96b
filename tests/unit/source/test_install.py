"""The target's name goes to the new file; what was there is moved whole, whenever the process dies."""

import errno
import os
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from support.snapshots import HOLD_OPEN, python_process, rows

from duckback.errors import Locked, SourceBusy, SourceError, UsageError
from duckback.source.install import SIDE_SUFFIXES, install, refuse_unless_free, work_directory

RUN = UUID("01990000-0000-7000-8000-000000000001")
NEXT_RUN = UUID("01990000-0000-7000-8000-000000000002")


class Killed(BaseException):
    """As if the process ended here: nobody handles it."""


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    path = tmp_path / "work" / "new.duckdb"
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE t AS SELECT 'new' AS v")
    return path


def target_with_wal(folder: Path) -> Path:
    """A database half of whose rows are in its WAL, as a killed application leaves it."""
    path = folder / "a.duckdb"
    with duckdb.connect(path) as con:
        con.execute("SET wal_autocheckpoint = '1GB'")
        con.execute("CREATE TABLE t AS SELECT 'old' AS v")
        con.execute("CHECKPOINT")
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute("INSERT INTO t VALUES ('old, in the WAL')")
    assert path.with_name("a.duckdb.wal").stat().st_size > 0
    return path


def contents(path: Path) -> list[str]:
    return [value for (value,) in rows(path, "SELECT v FROM t ORDER BY v")]


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_free_name_is_given_to_the_new_file(tmp_path: Path, new_file: Path) -> None:
    target = tmp_path / "a.duckdb"
    refuse_unless_free(target, force=False)
    assert install(new_file, target, RUN, force=False) is None
    assert contents(target) == ["new"]
    assert not new_file.exists()
    assert list(everything(tmp_path)) == ["a.duckdb"]


@pytest.mark.parametrize("suffix", ["", *SIDE_SUFFIXES])
def test_a_file_or_any_of_its_side_files_is_in_the_way_without_force(
    tmp_path: Path, new_file: Path, suffix: str
) -> None:
    target = tmp_path / "a.duckdb"
    (tmp_path / f"a.duckdb{suffix}").write_bytes(b"theirs")
    with pytest.raises(UsageError, match=rf"the target exists: a\.duckdb{suffix} in") as refusal:
        install(new_file, target, RUN, force=False)
    assert "--force" in refusal.value.hint
    assert everything(tmp_path) == {f"a.duckdb{suffix}": b"theirs"}
    assert contents(new_file) == ["new"]


def test_force_moves_the_file_and_all_of_its_side_files(tmp_path: Path, new_file: Path) -> None:
    target = target_with_wal(tmp_path)
    kept_as = install(new_file, target, RUN, force=True)
    assert kept_as == tmp_path / f"a.duckdb.before-{RUN}"
    assert contents(target) == ["new"]
    assert contents(kept_as) == ["old", "old, in the WAL"]
    assert len(everything(tmp_path)) == 3


@pytest.mark.parametrize("suffix", SIDE_SUFFIXES)
def test_an_orphan_side_file_goes_too(tmp_path: Path, new_file: Path, suffix: str) -> None:
    (tmp_path / f"a.duckdb{suffix}").write_bytes(b"rows of another file")
    install(new_file, tmp_path / "a.duckdb", RUN, force=True)
    assert contents(tmp_path / "a.duckdb") == ["new"]
    assert (tmp_path / f"a.duckdb.before-{RUN}{suffix}").read_bytes() == b"rows of another file"


def test_a_directory_is_never_moved(tmp_path: Path, new_file: Path) -> None:
    (tmp_path / "a.duckdb").mkdir()
    with pytest.raises(UsageError, match="is a directory"):
        install(new_file, tmp_path / "a.duckdb", RUN, force=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_target_that_another_process_has_open_stays_where_it_is(
    tmp_path: Path, new_file: Path, *, read_only: bool
) -> None:
    target = target_with_wal(tmp_path)
    code = HOLD_OPEN.replace("sys.argv[1])", "sys.argv[1], read_only=True)") if read_only else HOLD_OPEN
    with python_process(code, target):
        before = everything(tmp_path)
        with pytest.raises(SourceBusy, match="another process has"):
            install(new_file, target, RUN, force=True)
        assert everything(tmp_path) == before
    assert contents(target) == ["old", "old, in the WAL"]


@pytest.mark.parametrize("call", range(8))
def test_killed_at_any_step_the_old_or_the_new_database_is_whole_after_the_next_look(
    tmp_path: Path, new_file: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    target = target_with_wal(tmp_path)
    (tmp_path / "a.duckdb.wal.recovery").write_bytes(b"theirs")
    steps = 0

    def dying(step: object) -> object:
        def wrapped(*args: object, **options: object) -> object:
            nonlocal steps
            if steps == call:
                raise Killed
            steps += 1
            return step(*args, **options)  # type: ignore[operator]

        return wrapped

    with monkeypatch.context() as patch:
        for owner, name in ((Path, "rename"), (Path, "touch"), (Path, "unlink"), (os, "link")):
            patch.setattr(owner, name, dying(getattr(owner, name)))
        try:
            install(new_file, target, RUN, force=True)
        except Killed:
            pass
        else:
            assert steps == 7 <= call  # touch, three moves, the marker, link, unlink
    refuse_unless_free(target, force=True)
    (tmp_path / f"a.duckdb.before-{RUN}.wal.recovery").unlink(missing_ok=True)
    (tmp_path / "a.duckdb.wal.recovery").unlink(missing_ok=True)
    kept = tmp_path / f"a.duckdb.before-{RUN}"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".moving")] == []
    assert not (kept.exists() and (tmp_path / "a.duckdb.wal").exists())
    assert contents(kept if kept.exists() else target) == ["old", "old, in the WAL"]
    if kept.exists() and target.exists():
        assert contents(target) == ["new"]


def test_a_restore_after_a_killed_one_succeeds_and_keeps_the_old_database(
    tmp_path: Path, new_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = target_with_wal(tmp_path)
    genuine = Path.rename

    def dies_at_the_wal(path: Path, new: Path) -> Path:
        if path.name.endswith(".wal"):
            raise Killed
        return genuine(path, new)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dies_at_the_wal)
        with pytest.raises(Killed):
            install(new_file, target, RUN, force=True)
    assert install(new_file, target, NEXT_RUN, force=False) is None
    assert contents(target) == ["new"]
    assert contents(tmp_path / f"a.duckdb.before-{RUN}") == ["old", "old, in the WAL"]


def test_what_appears_at_the_last_moment_is_never_replaced(
    tmp_path: Path, new_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.duckdb"
    genuine = os.link

    def late(source: Path, new: Path) -> None:
        new.write_bytes(b"theirs")
        genuine(source, new)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(UsageError, match="appeared"):
        install(new_file, target, RUN, force=False)
    assert target.read_bytes() == b"theirs"


def test_where_the_new_file_cannot_be_put_in_place_the_old_one_comes_back(
    tmp_path: Path, new_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = target_with_wal(tmp_path)
    before = everything(tmp_path)

    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(SourceError, match="cannot put the restored database in place"):
        install(new_file, target, RUN, force=True)
    assert everything(tmp_path) == before


def test_only_one_restore_at_a_time_works_at_a_target(tmp_path: Path) -> None:
    target = tmp_path / "a.duckdb"
    (tmp_path / ".a.duckdb.restoring-dead").mkdir(mode=0o700)
    with work_directory(target, RUN) as scratch:
        assert scratch.path.parent == tmp_path
        assert not (tmp_path / ".a.duckdb.restoring-dead").exists()
        with pytest.raises(Locked):
            work_directory(target, NEXT_RUN)
        work_directory(tmp_path / "b.duckdb", NEXT_RUN).remove()
    work_directory(target, NEXT_RUN).remove()
    assert list(tmp_path.iterdir()) == []
