"""`backup_metadata`, field by field of what the specification's recordBackup stores, and the last backup's time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from support.databases import hot_tier
from support.seaweed import Seaweed

from duckback import Duckback, DuckbackError
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.metadata import BackupMetadata, last_backup_time
from duckback.model.events import Scope
from duckback.routes.exchange import BackupExchange, required


@pytest.fixture
def repo(tmp_path: Path) -> Duckback:
    return Duckback(tmp_path / "repo", state_dir=tmp_path / "state")


@pytest.fixture
def done(repo: Duckback, tmp_path: Path) -> BackupExchange:
    return repo.backup(hot_tier(tmp_path, signals=100))


def row(repo: Duckback, column: str) -> Any:
    """The value in the only row."""
    ((value,),) = repo.backup_metadata(f"SELECT {column} FROM backup_metadata").fetchall()
    return value


def test_the_table_has_the_columns_of_record_backup_and_no_others(repo: Duckback, done: BackupExchange) -> None:
    relation = repo.backup_metadata()
    assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == {
        "id": "UUID",
        "backup_type": "VARCHAR",
        "backup_scope": "VARCHAR",
        "tenant_id": "UUID",
        "start_time": "TIMESTAMP",
        "end_time": "TIMESTAMP",
        "status": "VARCHAR",
        "backup_size_bytes": "BIGINT",
        "backup_location": "VARCHAR",
        "checksum": "VARCHAR",
        "compression": "VARCHAR",
        "encryption": "VARCHAR",
        "retention_until": "TIMESTAMP",
        "created_at": "TIMESTAMP",
    }


def test_id_is_the_backup_s(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "id") == done.backup_id


def test_backup_type_is_duckdb(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "backup_type") == "duckdb"


def test_backup_scope_is_full(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "backup_scope") == "full"


def test_tenant_id_is_null(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "tenant_id") is None


def test_start_time_is_the_run_s_in_utc(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "start_time") == done.start_time.astimezone(UTC).replace(tzinfo=None)


def test_end_time_is_when_the_outcome_was_recorded(repo: Duckback, done: BackupExchange, tmp_path: Path) -> None:
    with EmbeddedLedger(tmp_path / "state" / "ledger.sqlite") as ledger:
        entry = ledger.entry(done.backup_id.int)
    assert entry is not None
    assert row(repo, "end_time") == entry.recorded_at.replace(tzinfo=None)
    assert row(repo, "created_at") == entry.recorded_at.replace(tzinfo=None)
    assert row(repo, "start_time <= end_time") is True


def test_status_is_completed(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "status") == "completed"


def test_backup_size_bytes_is_what_was_uploaded(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "backup_size_bytes") == done.backup_size_bytes > 0


def test_backup_location_is_the_addresses_joined_by_commas(repo: Duckback, done: BackupExchange) -> None:
    assert sorted(row(repo, "backup_location").split(",")) == sorted(done.s3_uris)
    assert len(done.s3_uris) > 1


def test_checksum_is_the_manifest_s_sha_256(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "checksum") == required(done.committed).sha256


def test_compression_is_parquet_zstd(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "compression") == "parquet-zstd"


def test_encryption_is_none_in_a_directory(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "encryption") == "none"


def test_encryption_is_s3_sse_and_locations_are_s3_addresses_in_s3(tmp_path: Path, seaweed: Seaweed) -> None:
    bucket = seaweed.bucket()
    repo = Duckback(f"s3://{bucket}/prod", state_dir=tmp_path / "state", s3=seaweed.options().model_dump())
    repo.backup(hot_tier(tmp_path, signals=10))
    assert row(repo, "encryption") == "s3-sse"
    assert all(
        uri.startswith(f"s3://{bucket}/prod/hot/duckdb/full/") for uri in row(repo, "backup_location").split(",")
    )


def test_retention_until_is_90_days_after_the_start(repo: Duckback, done: BackupExchange) -> None:
    assert row(repo, "retention_until - start_time") == timedelta(days=90)


def test_a_failed_run_is_a_row_too(repo: Duckback, tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    with pytest.raises(DuckbackError):
        repo.backup(tmp_path / "absent.duckdb")
    ((status, size, location, checksum, start, end, until),) = repo.backup_metadata(
        """SELECT status, backup_size_bytes, backup_location, checksum, start_time, end_time, retention_until
           FROM backup_metadata"""
    ).fetchall()
    assert (status, size, location, checksum) == ("failed", 0, None, None)
    assert before <= start <= end
    assert until - start == timedelta(days=90)


def test_people_ask_with_sql(repo: Duckback, done: BackupExchange, tmp_path: Path) -> None:
    with pytest.raises(DuckbackError):
        repo.backup(tmp_path / "absent.duckdb")
    relation = repo.backup_metadata("SELECT status, count(*) FROM backup_metadata GROUP BY status ORDER BY status")
    assert relation.fetchall() == [("completed", 1), ("failed", 1)]


def test_a_backup_whose_events_are_unknown_is_a_row_from_its_manifest(
    repo: Duckback, done: BackupExchange, tmp_path: Path
) -> None:
    elsewhere = Duckback(tmp_path / "repo", state_dir=tmp_path / "new machine")
    assert row(elsewhere, "status") == "completed"
    assert row(elsewhere, "created_at") is None
    assert row(elsewhere, "end_time BETWEEN start_time AND start_time + INTERVAL 5 MINUTES") is True


def test_a_backup_that_the_repository_lost_is_missing(repo: Duckback, done: BackupExchange, tmp_path: Path) -> None:
    next((tmp_path / "repo").rglob("manifests/*.json")).unlink()
    assert row(repo, "status") == "missing"
    assert row(repo, "backup_size_bytes") == done.backup_size_bytes


def test_the_last_backup_time_is_the_last_full_s_where_there_is_no_incremental(
    repo: Duckback, done: BackupExchange, tmp_path: Path
) -> None:
    again = repo.backup(tmp_path / "hot.duckdb")
    with pytest.raises(DuckbackError):
        repo.backup(tmp_path / "absent.duckdb", name="hot")
    assert repo.ledger.last_backup_time("hot") == again.start_time


def test_the_last_backup_time_is_the_last_incremental_s_else_the_last_full_s() -> None:
    hour = timedelta(hours=1)
    start = datetime(2026, 11, 23, tzinfo=UTC)

    def one(scope: Scope, number: int, status: Any = "completed") -> BackupMetadata:
        return BackupMetadata(
            id=UUID(int=number),
            backup_scope=scope,
            start_time=start + number * hour,
            end_time=None,
            status=status,
            backup_size_bytes=0,
            retention_until=start,
            created_at=None,
        )

    assert last_backup_time([]) is None
    assert last_backup_time([one("full", 1), one("full", 2)]) == start + 2 * hour
    assert last_backup_time([one("full", 1), one("incremental", 2), one("full", 3)]) == start + 2 * hour
    assert last_backup_time([one("incremental", 4), one("incremental", 2)]) == start + 4 * hour
    assert last_backup_time([one("full", 1), one("incremental", 2, "failed"), one("full", 3, "pruned")]) == start + hour
