"""Pruning on a real S3 server: object locks, versions, refusals, and what killed uploads left."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.place import TABLES, small_database
from support.s3 import MiB, refuse_calls
from support.seaweed import Seaweed

from duckback import Duckback
from duckback.audit.health import HealthView
from duckback.config.load import validated
from duckback.model.checks import Status
from duckback.source.demo import differing_rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return small_database(tmp_path / "small.duckdb")


def duckback(seaweed: Seaweed, bucket: str, tmp_path: Path, *, age: int = 0, **retention: Any) -> Duckback:
    return Duckback(
        f"s3://{bucket}/prod",
        s3=seaweed.options(),
        state_dir=tmp_path / "state",
        threads=1,
        retention={"grace": "0s", "keep_within": "0s", "keep_last": 1, **retention},
        clock=lambda: datetime.now(UTC) - age * DAY,
    )


def parquet(client: "S3Client", bucket: str) -> list[str]:
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return [each["Key"] for each in listed if each["Key"].endswith(".parquet")]


def test_a_prune_removes_what_no_backup_refers_to_and_the_rest_comes_back(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path
) -> None:
    here = duckback(seaweed, bucket, tmp_path)
    here.backup(database, scope="full")
    here.backup(database, scope="full")
    cleaned = here.prune()
    assert [one.is_kept for one in cleaned.decisions] == [True], "the second full has removed the first already"
    assert len(parquet(client, bucket)) == TABLES
    here.restore(tmp_path / "new.duckdb")
    assert not any(differing_rows(database, tmp_path / "new.duckdb").values())
    assert here.ledger.verify().result.findings == ()


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_locked_objects_are_a_reason_to_wait_and_say_until_when(
    seaweed: Seaweed, client: "S3Client", tmp_path: Path, database: Path, mode: str
) -> None:
    bucket = seaweed.bucket(lock=True)
    here = duckback(seaweed, bucket, tmp_path, object_lock=mode, lock_for="30d")
    done = here.backup(database, scope="full")
    assert done.committed is not None
    manifest = done.committed.manifest
    until = {ref.locked_until for ref in manifest.objects}
    assert all(one is not None and abs(one - datetime.now(UTC) - 30 * DAY) < timedelta(hours=1) for one in until)
    answer = client.head_object(Bucket=bucket, Key=f"prod/small/manifests/{manifest.backup_id}.json")
    assert answer["ObjectLockMode"] == mode.upper()
    here.backup(database, scope="full")
    (first, _) = here.prune().decisions
    assert first.is_kept
    assert "locked in the store until" in first.reasons[0]
    assert len(parquet(client, bucket)) == 2 * TABLES
    assert here.leases() == [], "leases are not locked"


def test_check_warns_of_a_lock_that_ends_before_the_policy_does(
    seaweed: Seaweed, tmp_path: Path, database: Path
) -> None:
    bucket = seaweed.bucket(lock=True)

    def locks(**retention: Any) -> list[tuple[Status, str]]:
        options = validated(
            {"repo": f"s3://{bucket}/prod", "s3": seaweed.options(), "state_dir": tmp_path, "retention": retention}
        )
        found = HealthView(options, lambda: datetime.now(UTC)).check(name="small")
        return [(one.status, one.message) for one in found if one.name == "object lock"]

    duckback(seaweed, bucket, tmp_path).backup(database, scope="full")
    assert locks() == [], "none is wanted, and none is there"
    ((status, words),) = locks(object_lock="governance", lock_for="90d")
    assert (status, words.partition(",")[0]) == (Status.WARNING, "the newest backup is not locked")
    duckback(seaweed, bucket, tmp_path, object_lock="governance", lock_for="30d").backup(database, scope="full")
    ((status, words),) = locks()
    assert (status, words.partition(":")[0]) == (
        Status.WARNING,
        "objects are locked for 30d, and backups are kept for 90d",
    )
    duckback(seaweed, bucket, tmp_path, object_lock="governance", lock_for="90d").backup(database, scope="full")
    ((status, _),) = locks(object_lock="governance", lock_for="90d")
    assert status is Status.OK


def test_a_bucket_with_versions_hides_what_is_pruned_and_keeps_it_for_its_lifecycle(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path
) -> None:
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    here = duckback(seaweed, bucket, tmp_path)
    here.backup(database, scope="full")
    here.backup(database, scope="full")
    assert len(parquet(client, bucket)) == TABLES
    versions = client.list_object_versions(Bucket=bucket).get("Versions", [])
    assert len([one for one in versions if one["Key"].endswith(".parquet")]) == 2 * TABLES
    assert here.prune().finished == ()


def test_a_store_that_refuses_to_delete_many_at_once_is_asked_one_by_one(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path
) -> None:
    here = duckback(seaweed, bucket, tmp_path, keep_last=9)
    here.backup(database, scope="full")
    here.backup(database, scope="full")
    pruning = duckback(seaweed, bucket, tmp_path)
    refused = refuse_calls(_driver(pruning), "DeleteObjects", 501, "NotImplemented")
    assert pruning.prune().refused == ()
    assert refused
    assert len(parquet(client, bucket)) == TABLES


def test_what_is_refused_one_by_one_too_is_reported_and_goes_next_time(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path
) -> None:
    duckback(seaweed, bucket, tmp_path, keep_last=9).backup(database, scope="full")
    duckback(seaweed, bucket, tmp_path, keep_last=9).backup(database, scope="full")
    pruning = duckback(seaweed, bucket, tmp_path)
    for operation in ("DeleteObjects", "DeleteObject"):
        refuse_calls(_driver(pruning), operation, 403, "AccessDenied")
    refused = pruning.prune().refused
    assert len(refused) == 1
    assert "AccessDenied" in refused[0].reason
    assert len(parquet(client, bucket)) == 2 * TABLES
    assert duckback(seaweed, bucket, tmp_path).prune().refused == ()
    assert len(parquet(client, bucket)) == TABLES


def test_an_upload_that_a_killed_run_left_is_removed_after_the_grace_period(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path
) -> None:
    here = duckback(seaweed, bucket, tmp_path, grace="24h")
    here.backup(database, scope="full")
    key = "prod/small/duckdb/full/2026/11/25/01927f3e-0000-7000-8000-000000000000-main.t.0000.parquet"
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)
    client.upload_part(Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"x" * 5 * MiB)
    assert here.prune().aborted == (), "it may be at work"
    aborted: tuple[str, ...] = ()
    while not aborted:  # the store's clock has whole seconds
        aborted = duckback(seaweed, bucket, tmp_path).prune().aborted
    assert aborted == (key.removeprefix("prod/"),)
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def _driver(here: Duckback) -> Any:
    return here._store.inner  # type: ignore[attr-defined]  # below the retries
