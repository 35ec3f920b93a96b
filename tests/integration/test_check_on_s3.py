"""duckback check and a bandwidth limit against a real S3 server."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.place import Place
from support.seaweed import Seaweed

from duckback import Duckback
from duckback.model.checks import Checked, Status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def repository(found: list[Checked]) -> Checked:
    return next(one for one in found if one.name == "repository")


def test_the_probe_creates_encrypts_refuses_and_deletes(
    seaweed: Seaweed, bucket: str, client: "S3Client", place: Place
) -> None:
    s3 = ("--s3-endpoint-url", seaweed.options().endpoint_url, "--s3-addressing-style", "path")
    place.run("backup", place.database, *s3, repo=f"s3://{bucket}/prod").worked()
    before = _keys(client, bucket)
    ran = place.run("check", place.database, *s3, "--json", repo=f"s3://{bucket}/prod")
    assert ran.worked().json["status"] == "ok"
    assert _keys(client, bucket) == before


def _keys(client: "S3Client", bucket: str) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_bucket_that_is_not_there_and_a_server_that_is_not_are_critical(
    seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = Duckback("s3://no-such-bucket-here/prod", state_dir=tmp_path / "state", s3=seaweed.options()).health.check(
        name="hot"
    )
    assert repository(absent).status is Status.CRITICAL
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    nobody = Duckback("s3://bucket/prod", state_dir=tmp_path / "state", s3={"endpoint_url": "http://127.0.0.1:1"})
    found = nobody.health.check(name="hot")
    assert repository(found).status is Status.CRITICAL
    assert next(one for one in found if one.name == "newest backup").status is Status.UNKNOWN


def test_an_upload_is_no_faster_than_it_may_be(seaweed: Seaweed, bucket: str, place: Place) -> None:
    limited = Duckback(f"s3://{bucket}/prod", state_dir=place.state, threads=1, s3=seaweed.options(), bandwidth=2_000)
    started = time.monotonic()
    done = limited.backup(place.database)
    assert done.backup_size_bytes > 1_500
    assert time.monotonic() - started > (done.backup_size_bytes - 100) / 2_000
    assert done.seconds["upload-duckdb-backup-to-s3"] > (done.backup_size_bytes - 100) / 2_000


def test_credentials_that_may_only_read_are_critical(seaweed: Seaweed, bucket: str, place: Place) -> None:
    url = f"s3://{bucket}/prod"
    Duckback(url, state_dir=place.state, threads=1, s3=seaweed.options()).backup(place.database)
    reader = Duckback(url, state_dir=place.state, s3=seaweed.options(profile="reader"))
    found = reader.health.check(place.database, name="small")
    assert repository(found).status is Status.CRITICAL
    assert next(one for one in found if one.name == "newest backup").status is Status.OK
