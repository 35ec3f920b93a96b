"""A capture over the application's own connection takes an image of its file, and leaves nothing behind in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from support.databases import UNSUPPORTED
from support.snapshots import can_be_opened_elsewhere, order, rows

from duckback.errors import SourceDamaged, SourceError, Unsupported
from duckback.model.export import Export
from duckback.model.progress import unheard
from duckback.source import capture_connection
from duckback.source.capture_connection import Connection, ConnectionCapture
from duckback.source.child import run_job
from duckback.source.image.place import ImageSettings
from duckback.source.jobs import ExportFile, Job, TakeImage


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Connection]:
    """A connection to a.duckdb, which has 1,000 rows in the file and one more in the WAL."""
    with duckdb.connect(tmp_path / "a.duckdb") as con:
        con.execute("CREATE TABLE t AS FROM range(1000)")
        con.execute("CHECKPOINT")
        con.execute("INSERT INTO t VALUES (-1)")
        yield con


def exported(con: Connection, folder: Path) -> Export:
    (staging := folder / "staging").mkdir(exist_ok=True)
    capture = ConnectionCapture(con, ImageSettings(folder / "images"))
    try:
        return capture.export(order(staging, folder), unheard)
    finally:
        capture.release()


def during_the_image(monkeypatch: pytest.MonkeyPatch, what: object) -> None:
    """Call `what` when the image has been taken, before the transaction that protects it ends."""

    def meddle(job: Job, *_: object) -> str:
        answer = run_job(job, unheard)
        if isinstance(job, TakeImage):
            assert callable(what)
            what()
        return answer

    monkeypatch.setattr(capture_connection, "run_job", meddle)


def test_rows_of_file_and_wal_are_exported_and_nothing_is_left_in_either(
    application: Connection, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("a.duckdb", "a.duckdb.wal")]
    before = [path.read_bytes() for path in files]  # the lock is gone with this, and no test of it may follow
    assert exported(application, tmp_path).rows == 1001
    assert [path.read_bytes() for path in files] == before
    assert rows(application, "SELECT table_name FROM duckdb_tables()") == [("t",)]
    assert list((tmp_path / "images").iterdir()) == []


def test_the_applications_lock_stands_and_its_checkpoints_work_again(application: Connection, tmp_path: Path) -> None:
    exported(application, tmp_path)
    assert not can_be_opened_elsewhere(tmp_path / "a.duckdb")
    application.execute("UPDATE t SET range = range + 1")
    application.execute("CHECKPOINT")
    assert not (tmp_path / "a.duckdb.wal").exists()


def test_while_the_image_is_taken_writers_commit_and_checkpoints_wait(
    application: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = application.cursor()

    def meddle() -> None:
        writer.execute("INSERT INTO t VALUES (-2)")
        with pytest.raises(duckdb.TransactionException, match="Cannot CHECKPOINT"):
            writer.execute("CHECKPOINT")

    during_the_image(monkeypatch, meddle)
    assert exported(application, tmp_path).rows == 1001
    assert rows(application, "SELECT count(*) FROM t") == [(1002,)]


@pytest.mark.parametrize("failure", [SourceError("no room"), KeyboardInterrupt(), RuntimeError("a bug")])
def test_whatever_goes_wrong_the_transaction_is_rolled_back(
    application: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def fail() -> None:
        raise failure

    during_the_image(monkeypatch, fail)
    with pytest.raises(type(failure)):
        exported(application, tmp_path)
    assert rows(application, "SELECT table_name FROM duckdb_tables()") == [("t",)]
    application.execute("DELETE FROM t WHERE range < 10")
    application.execute("CHECKPOINT")


def test_an_image_that_cannot_be_read_is_taken_again(
    application: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = []

    def meddle(job: Job, *_: object) -> str:
        if isinstance(job, ExportFile):
            exports.append(job)
            if len(exports) < 3:
                Path(job.order.staging, "half.parquet").touch()
                os.utime(job.database)
                raise SourceDamaged("a bad block")
            assert list(job.order.staging.iterdir()) == []
        return run_job(job, unheard)

    monkeypatch.setattr(capture_connection, "run_job", meddle)
    assert exported(application, tmp_path).rows == 1001
    assert len(exports) == 3


def test_a_connection_that_only_reads_is_captured_too(tmp_path: Path, application: Connection) -> None:
    application.close()
    with duckdb.connect(tmp_path / "a.duckdb", read_only=True) as con:
        assert exported(con, tmp_path).rows == 1001


def test_the_database_that_was_opened_is_captured_whatever_is_attached_and_used(
    application: Connection, tmp_path: Path
) -> None:
    application.execute(f"ATTACH '{tmp_path / 'b.duckdb'}' AS other")
    application.execute("CREATE TABLE other.u AS FROM range(7)")
    application.execute("USE other")
    assert [table.name for table in exported(application, tmp_path).tables] == ["t"]


def test_an_unsupported_table_is_named_with_the_file(application: Connection, tmp_path: Path) -> None:
    for statement in UNSUPPORTED:
        application.execute(statement)
    with pytest.raises(Unsupported, match=r"table main\.unsupported cannot be created"):
        exported(application, tmp_path)
