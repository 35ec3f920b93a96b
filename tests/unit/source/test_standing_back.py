"""An export stands back for the application whose database it is, the more the busier the machine is, and for no other."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.databases import database
from support.snapshots import HOLD_OPEN, order, python_process

from duckback import Duckback
from duckback.model.export import Export
from duckback.model.progress import unheard
from duckback.source import standing_back
from duckback.source.jobs import Caller, ExportImage, TakeImage
from duckback.source.order import nothing_to_fetch
from duckback.source.resources import Resources
from duckback.source.standing_back import Pauses, share_of_time
from duckback.source.tasks import perform

PATIENCE_SECONDS = 15

PAUSE_A_CHILD = """
    import subprocess, sys, time
    from duckback.source import standing_back

    standing_back._used_by_others = lambda _: 1.0
    child = subprocess.Popen(
        [sys.executable, "-m", "duckback.source.worker"], stdin=subprocess.PIPE, process_group=0
    )
    standing_back.Pauses(child, 0.001).start()
    print(child.pid, flush=True)
    time.sleep(60)
"""


@given(others=st.floats(-0.1, 1), more=st.floats(0, 1), least=st.floats(0.01, 1))
def test_the_more_the_others_do_the_less_it_runs_and_never_less_than_the_least(
    others: float, more: float, least: float
) -> None:
    share = share_of_time(others, least)
    assert least <= share <= 1
    assert share_of_time(others + more, least) <= share


def test_alone_it_runs_all_the_time_and_beside_half_a_machine_of_others_the_least() -> None:
    assert share_of_time(0.0, 0.15) == 1.0
    assert share_of_time(0.25, 0.2) == pytest.approx(0.6)
    assert share_of_time(0.5, 0.15) == pytest.approx(0.15)
    assert share_of_time(1.0, 0.15) == 0.15


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that never rests."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"], process_group=0)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def becomes(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.01)
    return False


def is_stopped(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def test_a_child_beside_a_busy_machine_is_paused_and_runs_when_that_is_over(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing_back, "_used_by_others", lambda _: 1.0)
    pauses = Pauses(child, 0.001)
    pauses.start()
    assert becomes(lambda: is_stopped(child.pid))
    pauses.stop()
    assert becomes(lambda: not is_stopped(child.pid))


def test_what_the_child_does_itself_is_nothing_that_others_do(child: "subprocess.Popen[bytes]") -> None:
    process = psutil.Process(child.pid)
    standing_back._used_by_others(process)
    before = psutil.cpu_times(), process.cpu_times()
    time.sleep(1)
    others = standing_back._used_by_others(process)
    busy = sum(
        now - then
        for name, now, then in zip(before[0]._fields, psutil.cpu_times(), before[0], strict=True)
        if name not in {"idle", "iowait", "guest", "guest_nice"}
    )
    own = process.cpu_times().user - before[1].user
    assert own > 0.1
    assert others == pytest.approx((busy - own) / (psutil.cpu_count() or 1), abs=0.15)


def test_a_child_whose_end_comes_while_it_is_watched_ends_the_watch(child: "subprocess.Popen[bytes]") -> None:
    pauses = Pauses(child, 0.5)
    pauses.start()
    child.kill()
    child.wait()
    pauses.stop()
    pauses.stop()


def test_with_a_share_of_one_nothing_is_ever_paused(child: "subprocess.Popen[bytes]") -> None:
    pauses = Pauses(child, 1.0)
    pauses.start()
    assert pauses._thread is None
    pauses.stop()


def test_a_parent_that_is_killed_leaves_no_child_stopped_for_ever() -> None:
    with python_process(PAUSE_A_CHILD) as parent:
        [child] = psutil.Process(parent.pid).children()
        try:
            assert becomes(lambda: is_stopped(child.pid))
            parent.kill()
            assert becomes(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
        finally:
            if child.is_running():
                child.kill()


def asked_to_stand_back(path: Path, folder: Path) -> int:
    """How often the export of an image of that file asked for it."""
    staging = folder / "staging"
    staging.mkdir()
    asked: list[None] = []
    job = ExportImage(image=TakeImage(database=path, directory=folder, seconds=10), order=order(staging, folder))
    export = perform(job, Caller(unheard, nothing_to_fetch, lambda: asked.append(None)))
    assert Export.model_validate_json(export).rows == 10
    return len(asked)


def test_an_export_stands_back_where_another_process_has_the_database_open(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(10)")
    with python_process(HOLD_OPEN, path):
        assert asked_to_stand_back(path, tmp_path) == 1


def test_an_export_of_a_database_that_nobody_uses_does_not(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(10)")
    assert asked_to_stand_back(path, tmp_path) == 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The least share of every child that was told to stand back."""
    found: list[float] = []
    monkeypatch.setattr(Pauses, "start", lambda self: found.append(self._least))
    return found


def test_the_option_reaches_the_child_that_exports_a_database_in_use(tmp_path: Path, started: list[float]) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(10)")
    duckback = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", least_share=0.3)
    with python_process(HOLD_OPEN, path):
        duckback.backup(path)
        duckback.backup(path, scope="full")
    assert started == [0.3, 0.3]
    duckback.backup(path, scope="full")
    assert started == [0.3, 0.3]


@pytest.mark.parametrize("name", ["a.duckdb", ":memory:"])
def test_the_export_of_a_connections_database_stands_back_for_it(
    name: str, tmp_path: Path, started: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    duckback = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", least_share=0.3)
    with duckdb.connect(name) as con:
        con.execute("CREATE TABLE t AS FROM range(10)")
        duckback.backup(con, name="a")
    assert started == [0.3]


def test_what_stands_back_has_half_of_the_threads_and_at_least_one() -> None:
    spill = Path("spill")
    threads = [Resources("1GB", n, spill, least_share=0.15).standing_back().threads for n in (1, 2, 3, 8)]
    assert threads == [1, 1, 1, 4]
    assert Resources("1GB", 8, spill).standing_back().threads == 8
