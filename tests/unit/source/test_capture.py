"""Whichever way a database is captured, its application notices nothing and its rows are those of one moment."""

import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from support.databases import UNSUPPORTED, database
from support.snapshots import HOLD_OPEN, can_be_opened_elsewhere, order, python_process, rows

from duckback import Duckback
from duckback.errors import SourceBusy, SourceDamaged, SourceError, Unsupported, UsageError
from duckback.model.progress import Progress, Report, unheard
from duckback.source import capture_image
from duckback.source.capture import Capture
from duckback.source.capture_connection import Connection
from duckback.source.capture_direct import DirectCapture
from duckback.source.captures import CaptureChoice, capture_of
from duckback.source.child import run_job
from duckback.source.image.place import ImageSettings
from duckback.source.jobs import ExportImage, Job
from duckback.source.order import Fetch, nothing_to_fetch


def staging(folder: Path) -> Path:
    (path := folder / "staging").mkdir()
    return path


def capture(database: Path | Connection, folder: Path, choice: CaptureChoice = "auto") -> Capture:
    return capture_of(database, choice, ImageSettings(folder / "images"))


def count_of(capture: Capture, folder: Path) -> int:
    export = capture.export(order(staging(folder), folder), unheard)
    return export.rows


def test_the_callers_transaction_result_and_settings_stay_as_they_are(tmp_path: Path) -> None:
    con = duckdb.connect(tmp_path / "a.duckdb")
    con.execute("CREATE TABLE t AS FROM range(3)")
    con.execute("SET TimeZone = 'Asia/Tokyo'")
    con.execute("SET enable_progress_bar = false")
    con.execute("CREATE TEMP TABLE mine AS SELECT 'kept' AS v")
    con.execute("BEGIN TRANSACTION")
    con.execute("INSERT INTO t VALUES (99)")
    pending = con.execute("SELECT range FROM t ORDER BY range")
    assert pending.fetchone() == (0,)

    assert count_of(capture(con, tmp_path), tmp_path) == 3

    assert pending.fetchall() == [(1,), (2,), (99,)]
    assert rows(con, "SELECT current_setting('TimeZone'), current_setting('enable_progress_bar')") == [
        ("Asia/Tokyo", False)
    ]
    assert rows(con, "FROM mine") == [("kept",)]
    con.execute("ROLLBACK")
    assert rows(con, "SELECT count(*) FROM t") == [(3,)]
    con.close()


def test_another_process_is_still_refused_the_file_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE t AS FROM range(3)")
        Duckback(tmp_path / "repo", state_dir=tmp_path / "state", threads=2).backup(con)
        assert not can_be_opened_elsewhere(path)
    assert can_be_opened_elsewhere(path)


def test_a_database_in_memory_is_backed_up_under_a_given_name_and_no_other(tmp_path: Path) -> None:
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", threads=2)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS FROM range(3)")
        assert capture(con, tmp_path).default_name is None
        with pytest.raises(UsageError, match="has no name"):
            repo.backup(con)
        repo.backup(con, name="cache")
    repo.restore(tmp_path / "b.duckdb", name="cache")
    assert rows(tmp_path / "b.duckdb", "SELECT count(*) FROM t") == [(3,)]


def test_a_file_s_name_is_its_stem_either_way(tmp_path: Path) -> None:
    path = database(tmp_path / "hot.tier.duckdb")
    assert capture(path, tmp_path).default_name == "hot.tier"
    with duckdb.connect(path) as con:
        assert capture(con, tmp_path).default_name == "hot.tier"


def test_what_is_committed_in_memory_during_the_export_is_not_in_it(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        for name in "abc":
            con.execute(f"CREATE TABLE {name} AS FROM range(1000)")
        writer = con.cursor()
        written = 0

        def meddle(_: Progress) -> None:
            nonlocal written
            writer.execute("INSERT INTO c VALUES (-1)")
            writer.execute("DELETE FROM b WHERE range < 10")
            writer.execute("DROP TABLE IF EXISTS a")
            writer.execute("CREATE OR REPLACE TABLE d AS FROM range(5)")
            written += 1

        export = capture(con, tmp_path).export(order(staging(tmp_path), tmp_path), meddle)
        assert {table.name: table.fingerprint.rows for table in export.tables} == {"a": 1000, "b": 1000, "c": 1000}
        assert written >= 3
        assert rows(con, "SELECT count(*) FROM c")[0][0] == 1000 + written


def test_a_released_capture_is_closed_and_says_so(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        captured = capture(con, tmp_path)
        captured.release()
        captured.release()
        with pytest.raises(UsageError, match="released"):
            _ = captured.default_name


def test_a_closed_connection_is_an_error_of_ours(tmp_path: Path) -> None:
    con = duckdb.connect()
    con.close()
    with pytest.raises(SourceError, match="the given connection"):
        capture(con, tmp_path)


def test_an_unsupported_table_leaves_no_transaction_open(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "a.duckdb") as con:
        for statement in UNSUPPORTED:
            con.execute(statement)
        captured = capture(con, tmp_path)
        with pytest.raises(Unsupported, match=r"table main\.unsupported cannot be created"):
            count_of(captured, tmp_path)
        captured.release()
        con.execute("DROP TABLE unsupported")
        con.execute("CREATE TABLE u AS SELECT 1 AS i")
        con.execute("UPDATE u SET i = 2")
        con.execute("CHECKPOINT")


def test_a_file_that_another_process_has_open_for_writing_is_busy_and_names_it(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS SELECT 1 AS i")
    with python_process(HOLD_OPEN, path) as holder:
        with pytest.raises(SourceBusy, match=rf"open in another process: .*PID {holder.pid}\)") as failure:
            count_of(DirectCapture(path), tmp_path)
        assert "--capture" in failure.value.hint


def test_a_file_that_is_only_read_elsewhere_can_be_captured(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(4)")
    with python_process(HOLD_OPEN.replace("sys.argv[1])", "sys.argv[1], read_only=True)"), path):
        assert count_of(DirectCapture(path), tmp_path) == 4


def test_rows_that_are_in_the_wal_only_are_captured_and_the_wal_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE t AS FROM range(4)")
        con.execute("CHECKPOINT")
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute("INSERT INTO t VALUES (5)")
    before = {name: (tmp_path / name).read_bytes() for name in ("a.duckdb", "a.duckdb.wal")}
    assert count_of(DirectCapture(path), tmp_path) == 5
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def encrypted(path: Path) -> Path:
    """A file whose main header says that it is encrypted (the bare wheel cannot write a real one)."""
    data = bytearray(database(path, "CREATE TABLE t AS SELECT 1 AS i").read_bytes())
    data[20] |= 1
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", data[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    data[:8] = struct.pack("<Q", checksum)
    path.write_bytes(data)
    return path


def test_an_encrypted_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.duckdb is encrypted and cannot be opened without its key") as failure:
        count_of(DirectCapture(encrypted(tmp_path / "a.duckdb")), tmp_path)
    assert "in the clear" in failure.value.hint


def test_what_is_no_database_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a,b\n1,2\n" * 10_000)
    with pytest.raises(SourceError, match="text is not a DuckDB database"):
        count_of(DirectCapture(tmp_path / "text"), tmp_path)
    with pytest.raises(SourceError, match="there is no database file"):
        capture(tmp_path / "absent", tmp_path).export(order(tmp_path / "staging", tmp_path), unheard)
    with pytest.raises(SourceError, match="is not a file"):
        capture(tmp_path, tmp_path).export(order(tmp_path / "staging", tmp_path), unheard)
    assert not (tmp_path / "absent").exists()


COMMITS_AND_HOLDS = """
    import duckdb, sys
    con = duckdb.connect(sys.argv[1])
    con.execute("INSERT INTO t VALUES (99)")
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_file_that_another_process_has_open_is_captured_with_its_wal_and_the_lock_stands(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(4)")
    with python_process(COMMITS_AND_HOLDS, path):
        assert count_of(capture(path, tmp_path), tmp_path) == 5
        assert not can_be_opened_elsewhere(path)


def test_the_export_shows_the_file_and_the_moment_of_the_image(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(4)")
    before = datetime.now(UTC)
    export = capture(path, tmp_path).export(order(staging(tmp_path), tmp_path), unheard)
    assert before <= export.snapshot_at <= datetime.now(UTC)
    assert export.file is not None
    assert (export.file.path, export.file.inode, export.file.wal_sha256) == (str(path), path.stat().st_ino, None)


def unreadable_images(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_written_to: bool) -> int:
    """How often a file is captured of which no image can be read."""
    jobs = []

    def unreadable(job: Job, report: Report, fetch: Fetch = nothing_to_fetch) -> str:
        if not isinstance(job, ExportImage):
            return run_job(job, report, fetch)
        assert list(job.image.directory.iterdir()) == list(job.order.staging.iterdir()) == []
        jobs.append(job)
        (job.image.directory / "image.duckdb").touch()
        (job.order.staging / "half.parquet").touch()
        if is_written_to:
            os.utime(path)
        raise SourceDamaged("DuckDB cannot process it: bad block")

    monkeypatch.setattr(capture_image, "run_job", unreadable)
    captured = capture_of(path, "image", ImageSettings(folder / "images", attempts=4))
    with pytest.raises(SourceDamaged, match=r"images of .*a\.duckdb could be read; of the last: .*bad block"):
        count_of(captured, folder)
    assert list((folder / "images").iterdir()) == list((folder / "staging").iterdir()) == []
    return len(jobs)


def test_images_that_cannot_be_read_are_limited_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path / "a.duckdb")
    assert unreadable_images(path, tmp_path, monkeypatch, is_written_to=True) == 4


def test_an_untouched_file_whose_image_cannot_be_read_is_captured_once_more_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path / "a.duckdb")
    time.sleep(2.1)
    assert unreadable_images(path, tmp_path, monkeypatch, is_written_to=False) == 2


def test_a_refusal_is_no_bad_image_and_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = database(tmp_path / "a.duckdb", *UNSUPPORTED)
    jobs = []

    def counted(job: Job, report: Report, fetch: Fetch = nothing_to_fetch) -> str:
        jobs.append(job)
        return run_job(job, report, fetch)

    monkeypatch.setattr(capture_image, "run_job", counted)
    with pytest.raises(Unsupported, match=r"table main\.unsupported cannot be created"):
        count_of(capture(path, tmp_path), tmp_path)
    assert len(jobs) == 1


def test_what_was_chosen_must_go_with_what_was_given(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        with pytest.raises(UsageError, match="a connection cannot be captured as image"):
            capture(con, tmp_path, "image")
    with pytest.raises(UsageError, match="a file cannot be captured over a connection"):
        capture(tmp_path / "a.duckdb", tmp_path, "connection")


def test_only_an_untouched_file_is_unchanged_since_its_backup(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(4)")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", threads=2)
    time.sleep(2.1)  # the time of the last change of the inode cannot be set, and must not be too near
    repo.backup(path)
    assert repo.why_changed(path) is None
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert repo.why_changed(path) == "it was written to, or its inode was"
    with duckdb.connect(path) as con:
        con.execute("UPDATE t SET range = 1")
    assert repo.why_changed(path) == "its header has changed"


def test_a_backup_of_a_database_in_memory_is_never_unchanged(tmp_path: Path) -> None:
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", threads=2)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS FROM range(4)")
        repo.backup(con, name="a")
    assert "in memory" in (repo.why_changed(database(tmp_path / "a.duckdb")) or "")
