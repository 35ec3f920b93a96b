"""One test for each thing that the specification asks of the full export, named after it."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from support.databases import HOT_TIER_TABLES, UNSUPPORTED, database, hot_tier
from support.seaweed import Seaweed

from duckback import Duckback, DuckbackError
from duckback.ledger.codec import decode_user_data
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import EventKind
from duckback.routes import FULL_EXPORT
from duckback.routes.exchange import required


def test_full_export_creates_parquet_files_for_all_tables(tmp_path: Path) -> None:
    done = Duckback(tmp_path / "repo", state_dir=tmp_path / "state").backup(hot_tier(tmp_path))
    manifest = required(done.committed).manifest
    assert sorted(table.name for table in manifest.tables) == list(HOT_TIER_TABLES)
    for table in manifest.tables:
        files = [str(tmp_path / "repo" / ref.key) for ref in table.objects]
        assert files
        assert duckdb.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone() == (table.rows,)


def test_parquet_compression_reduces_the_size_against_raw_csv(tmp_path: Path) -> None:
    source = hot_tier(tmp_path)
    done = Duckback(tmp_path / "repo", state_dir=tmp_path / "state").backup(source)
    with duckdb.connect(source, read_only=True) as con:
        con.execute(f"EXPORT DATABASE '{tmp_path / 'csv'}' (FORMAT csv)")
    csv_size = sum(path.stat().st_size for path in (tmp_path / "csv").glob("*.csv"))
    assert 0 < done.backup_size_bytes < csv_size / 2
    assert required(done.compression_ratio) > 1


def test_s3_upload_stores_several_parquet_files_with_the_right_metadata_and_content_type(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    bucket = seaweed.bucket()
    repo = Duckback(f"s3://{bucket}/prod", state_dir=tmp_path / "state", s3=seaweed.options().model_dump())
    done = repo.backup(hot_tier(tmp_path))
    assert done.uploaded_file_count == len(HOT_TIER_TABLES)
    for uri in done.s3_uris:
        head = seaweed.client().head_object(Bucket=bucket, Key=uri.removeprefix(f"s3://{bucket}/"))
        assert head["ContentType"] == "application/octet-stream"
        assert head["ServerSideEncryption"] == "AES256"
        assert head["Metadata"]["backup-id"] == str(done.backup_id)
        assert head["Metadata"]["backup-type"] == "duckdb"
        assert head["Metadata"]["backup-scope"] == "full"


def test_the_checksum_is_in_the_metadata_and_in_the_manifest(tmp_path: Path, seaweed: Seaweed) -> None:
    bucket = seaweed.bucket()
    repo = Duckback(f"s3://{bucket}/prod", state_dir=tmp_path / "state", s3=seaweed.options().model_dump())
    done = repo.backup(hot_tier(tmp_path, signals=100))
    for ref in required(done.committed).manifest.objects:
        answer = seaweed.client().get_object(Bucket=bucket, Key=f"prod/{ref.key}")
        sha256 = hashlib.sha256(answer["Body"].read()).hexdigest()
        assert answer["Metadata"]["checksum-sha256"] == ref.sha256 == sha256


def test_keys_are_type_scope_date_and_id_with_table(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", clock=lambda: moment)
    done = repo.backup(hot_tier(tmp_path, signals=100))
    keys = {ref.key for ref in required(done.committed).manifest.objects}
    assert f"hot/duckdb/full/2026/03/07/{done.backup_id}-main.signals.0000.parquet" in keys
    assert all((tmp_path / "repo" / key).is_file() for key in keys)


def test_one_backup_never_spans_two_dates(tmp_path: Path) -> None:
    ticks = iter(datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) + timedelta(days=n) for n in range(1_000))
    done = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", clock=lambda: next(ticks)).backup(
        hot_tier(tmp_path, signals=100)
    )
    folders = {Path(ref.key).parent.as_posix() for ref in required(done.committed).manifest.objects}
    # The clock is asked by others too, so which of its days it is does not matter; every object has the same.
    assert len(folders) == 1
    assert folders.pop().startswith("hot/duckdb/full/")


def test_the_backup_event_is_a_transfer_with_code_12_and_the_packed_fields(tmp_path: Path) -> None:
    done = Duckback(tmp_path / "repo", state_dir=tmp_path / "state").backup(hot_tier(tmp_path, signals=100))
    with EmbeddedLedger(tmp_path / "state" / "ledger.sqlite") as ledger:
        entry = ledger.entry(done.backup_id.int)
    assert entry is not None
    assert done.backup_event_id == done.backup_id == UUID(int=entry.transfer.id)
    assert entry.transfer.code == 12
    assert entry.transfer.amount == done.backup_size_bytes
    assert entry.transfer.user_data_64 == int(done.start_time.timestamp())
    fields = decode_user_data(entry.transfer.user_data_128, entry.transfer.user_data_32)
    assert (fields.scope, fields.kind, fields.retention_days) == ("full", EventKind.COMPLETED, 90)


def test_a_failed_run_is_recorded_with_its_message(tmp_path: Path) -> None:
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state")
    with pytest.raises(DuckbackError, match="no database file") as failure:
        repo.backup(tmp_path / "absent.duckdb")
    with EmbeddedLedger(tmp_path / "state" / "ledger.sqlite") as ledger:
        entries = list(ledger.entries())
    assert [entry.kind for entry in entries] == [EventKind.STARTED, EventKind.FAILED]
    assert entries[1].details["error_message"] == failure.value.message


@pytest.mark.parametrize("fails", [False, True])
def test_staging_is_gone_after_the_run(tmp_path: Path, *, fails: bool) -> None:
    source = database(tmp_path / "a.duckdb", "CREATE TABLE t AS SELECT 1 AS i")
    if fails:
        database(source, *UNSUPPORTED)
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", staging_dir=tmp_path / "staging")
    if fails:
        with pytest.raises(DuckbackError, match="unsupported"):
            repo.backup(source)
    else:
        repo.backup(source)
    assert list((tmp_path / "staging").iterdir()) == []


def test_local_copies_are_kept_for_their_time_only(tmp_path: Path, seaweed: Seaweed) -> None:
    source = hot_tier(tmp_path, signals=100)
    now = datetime.now(UTC)
    clock = [now]
    repo = Duckback(
        f"s3://{seaweed.bucket()}",
        state_dir=tmp_path / "state",
        clock=lambda: clock[0],
        s3=seaweed.options().model_dump(),
        retention={"keep_local": "7d"},
    )
    first = repo.backup(source)
    copies = tmp_path / "state" / str(required(first.committed).manifest.repository_id) / "hot"
    kept = copies / str(first.backup_id)
    names = {Path(ref.key).name: ref.sha256 for ref in required(first.committed).manifest.objects}
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept.iterdir()} == names

    clock[0] = now + timedelta(days=6)
    repo.backup(source)
    assert kept.is_dir()

    clock[0] = now + timedelta(days=8)
    last = repo.backup(source, scope="full")
    assert not kept.exists()
    assert (copies / str(last.backup_id)).is_dir()


def test_a_local_repository_needs_no_local_copies(tmp_path: Path) -> None:
    Duckback(tmp_path / "repo", state_dir=tmp_path / "state").backup(hot_tier(tmp_path, signals=100))
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == [
        "cache",
        "images",
        "ledger.sqlite",
        "staging",
    ]


def test_100_000_rows_are_exported_in_less_than_30_seconds(tmp_path: Path) -> None:
    source = hot_tier(tmp_path, signals=100_000)
    started = time.monotonic()
    done = Duckback(tmp_path / "repo", state_dir=tmp_path / "state").backup(source)
    assert time.monotonic() - started < 30
    assert required(done.committed).manifest.rows > 100_000


def test_the_route_is_the_specified_list_of_named_processors() -> None:
    assert FULL_EXPORT.processors == (
        "export-duckdb-to-parquet",
        "compress-parquet",
        "upload-duckdb-backup-to-s3",
        "record-duckdb-backup-event",
        "cleanup-old-duckdb-backups",
    )


def test_exchange_and_manifest_state_type_scope_size_compression_and_retention(tmp_path: Path) -> None:
    done = Duckback(tmp_path / "repo", state_dir=tmp_path / "state").backup(hot_tier(tmp_path, signals=100))
    manifest = required(done.committed).manifest
    # The exchange carries the specified properties, under the specified names.
    assert (done.backup_id, done.backup_type, done.backup_scope) == (manifest.backup_id, "duckdb", "full")
    assert (done.start_time, done.last_backup_time, done.status) == (manifest.started_at, None, "completed")
    assert (done.backup_size_bytes, done.uploaded_file_count) == (manifest.bytes_added, len(done.s3_uris))
    assert (done.backup_event_id, done.error_message) == (done.backup_id, None)
    assert done.backup_path is not None
    assert manifest.retention_until == manifest.started_at + timedelta(days=90)
    assert (manifest.backup_type, manifest.scope, manifest.compression) == ("duckdb", "full", "parquet-zstd")
