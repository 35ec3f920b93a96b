"""A job in a child process: its error is the caller's, and neither survives the other's death."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import duckdb
import psutil
import pytest
from support.databases import UNSUPPORTED, database
from support.snapshots import can_be_opened_elsewhere, order, python_process, rows

from duckback.errors import SourceBusy, SourceError, Unsupported
from duckback.model.export import Export
from duckback.model.progress import Progress, unheard
from duckback.source.child import run_job
from duckback.source.jobs import ExportFile, InstallDatabase, Job

PATIENCE_SECONDS = 15

RUN_A_JOB = """
    import sys, threading, time
    import psutil
    from pathlib import Path
    from duckback.model.progress import unheard
    from duckback.source.child import run_job
    from duckback.source.resources import Resources
    from duckback.source.order import ExportOrder
    from duckback.source.jobs import ExportFile

    def tell():
        while not (children := psutil.Process().children()):
            time.sleep(0.02)
        print(children[0].pid, flush=True)

    folder = Path(sys.argv[1])
    order = ExportOrder(staging=folder, label="x", resources=Resources("100MB", 1, folder / "spill"))
    job = ExportFile(database=folder / "a", order=order)
    threading.Thread(target=tell, daemon=True).start()
    run_job(job, unheard)
"""


def export_job(path: Path) -> ExportFile:
    staging = path.parent / "staging"
    staging.mkdir(exist_ok=True)
    return ExportFile(database=path, order=order(staging, path.parent))


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A database file that nobody can ever read to its end: a pipe without a writer."""
    os.mkfifo(tmp_path / "a")
    return tmp_path / "a"


@contextmanager
def killing_the_child(number: signal.Signals) -> Iterator[None]:
    """Sends the signal to the first child of this process that runs the worker."""
    before = set(psutil.Process().children())

    def kill() -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for child in set(psutil.Process().children()) - before:
                if is_worker(child):
                    child.send_signal(number)
                    return
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def is_worker(process: psutil.Process) -> bool:
    """Whether it runs a job, and still is there to be asked."""
    try:
        return "duckback.source.worker" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def gone(pid: int) -> bool:
    """Whether a process ends within our patience (a zombie without a parent to bury it has ended)."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_a_job_returns_its_result_and_reports_its_progress(tmp_path: Path) -> None:
    heard: list[Progress] = []
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(10)")
    export = Export.model_validate_json(run_job(export_job(path), heard.append))
    assert (export.rows, export.tables[0].files[0].name) == (10, "0000.0000.parquet")
    assert export.file is not None
    assert (export.file.path, export.file.size) == (str(path), path.stat().st_size)
    assert {progress.step for progress in heard} == {"export-duckdb-to-parquet", "read again"}
    assert not any(map(is_worker, psutil.Process().children()))


def test_an_error_keeps_its_class_its_words_and_its_hint(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", *UNSUPPORTED)
    with pytest.raises(Unsupported, match=r"table main\.unsupported cannot be created") as failure:
        run_job(export_job(path), unheard)
    assert failure.value.hint == "Leave it out with --exclude main.unsupported."


def test_an_error_of_the_system_is_an_error_of_the_source(tmp_path: Path) -> None:
    folder = export_job(database(tmp_path / "a.duckdb")).model_copy(update={"database": tmp_path})
    with pytest.raises(SourceError, match=r"the worker process failed: .*Is a directory"):
        run_job(folder, unheard)


def test_a_killed_child_is_an_error_that_names_the_signal(endless: Path) -> None:
    with killing_the_child(signal.SIGKILL), pytest.raises(SourceError, match="ended by SIGKILL") as failure:
        run_job(export_job(endless), unheard)
    assert "--memory-limit" in failure.value.hint


def test_a_child_that_cannot_read_its_job_says_why() -> None:
    class Incomplete(Job):
        task = "export"

    class Unknown(Job):
        task = "unknown"

    for job, words in ((Incomplete(), "ValidationError"), (Unknown(), "KeyError: 'unknown'")):
        with pytest.raises(SourceError, match=rf"(?s)ended with code 1: .*{words}"):
            run_job(job, unheard)


def test_a_report_that_raises_ends_the_child(tmp_path: Path) -> None:
    def raising(_: Progress) -> None:
        raise ZeroDivisionError

    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(10)")
    with pytest.raises(ZeroDivisionError):
        run_job(export_job(path), raising)
    assert not any(map(is_worker, psutil.Process().children()))


def test_the_child_is_gone_within_seconds_of_its_parents_death(endless: Path) -> None:
    with python_process_with_child(endless.parent) as (parent, child):
        os.kill(parent, signal.SIGKILL)
        assert gone(child)


def test_ctrl_c_in_the_parent_ends_the_child_too(endless: Path) -> None:
    with python_process_with_child(endless.parent) as (parent, child):
        os.kill(parent, signal.SIGINT)
        assert gone(child)
        assert gone(parent)


@contextmanager
def python_process_with_child(folder: Path) -> Iterator[tuple[int, int]]:
    """Ids of a process that runs an endless job and of its worker; none is left."""
    child = None
    with python_process(RUN_A_JOB, folder) as process:
        try:
            child = next(iter(psutil.Process(process.pid).children()))
            yield process.pid, child.pid
        finally:
            if child is not None:
                with suppress(psutil.NoSuchProcess):
                    child.kill()


def test_an_install_over_a_file_that_the_caller_has_open_is_refused_and_costs_it_no_lock(tmp_path: Path) -> None:
    job = InstallDatabase(
        new_file=database(tmp_path / "new.duckdb", "CREATE TABLE t AS SELECT 'new' AS v"),
        target=database(tmp_path / "a.duckdb", "CREATE TABLE t AS SELECT 'old' AS v"),
        run_id=UUID("01990000-0000-7000-8000-000000000001"),
    )
    with duckdb.connect(job.target):
        with pytest.raises(SourceBusy):
            run_job(job, unheard)
        assert not can_be_opened_elsewhere(job.target)
    assert run_job(job, unheard) == f"{job.target}.before-{job.run_id}"
    assert rows(job.target, "FROM t") == [("new",)]
