"""A full backup to a real S3 server and back, read with plain boto3: what is stored is what was asked for."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.place import ROWS, TABLES, small_database
from support.seaweed import Seaweed

from duckback import Duckback
from duckback.source.demo import differing_rows
from duckback.store.s3_options import MIN_PART_SIZE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_KEY = re.compile(r"prod/small/duckdb/full/(\d{4}/\d\d/\d\d)/([0-9a-f-]{36})-main\.(people|visits)\.0000\.parquet")
_WIDE = """
CREATE TABLE wide AS SELECT i, sha256('a' || i) || sha256('b' || i) AS noise FROM range(130000) r(i);
CREATE TABLE narrow AS SELECT 1 AS i;
"""


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def client(seaweed: Seaweed) -> Iterator["S3Client"]:
    client = seaweed.client()
    yield client
    client.close()


@pytest.fixture
def bucket(seaweed: Seaweed) -> str:
    return seaweed.bucket()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return small_database(tmp_path / "small.duckdb")


def duckback(seaweed: Seaweed, bucket: str, tmp_path: Path, clock: Clock | None = None, **s3: Any) -> Duckback:
    options: dict[str, Any] = {"s3": seaweed.options(**s3), "state_dir": tmp_path / "state", "threads": 1}
    url = f"s3://{bucket}/prod"
    return Duckback(url, **options) if clock is None else Duckback(url, clock=clock, **options)


def keys(client: "S3Client", bucket: str, word: str = ".parquet") -> list[str]:
    listed = client.list_objects_v2(Bucket=bucket, Prefix="prod/").get("Contents", [])
    return sorted(each["Key"] for each in listed if word in each["Key"])


@pytest.mark.parametrize(
    ("options", "sse", "key_id", "code"),
    [
        ({"sse": "AES256"}, "AES256", None, "s3-sse"),
        ({"sse": "aws:kms", "sse_kms_key_id": "test-key"}, "aws:kms", "test-key", "s3-sse-kms"),
        ({"sse": "none"}, None, None, "none"),
    ],
    ids=["AES256", "aws:kms", "none"],
)
def test_objects_are_as_the_specification_asks(
    *, seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path, clock: Clock,
    options: dict[str, str], sse: str | None, key_id: str | None, code: str,
) -> None:  # fmt: skip
    done = duckback(seaweed, bucket, tmp_path, clock, **options).backup(database)
    assert done.committed is not None
    manifest = done.committed.manifest
    assert manifest.encryption == code
    found = keys(client, bucket)
    assert found == sorted(f"prod/{ref.key}" for ref in manifest.objects)
    assert sorted(done.s3_uris) == [f"s3://{bucket}/{key}" for key in found]
    for key, ref in zip(found, sorted(manifest.objects, key=lambda ref: ref.key), strict=True):
        name = _KEY.fullmatch(key)
        assert name is not None, key
        assert (name[1], name[2]) == ("2026/11/23", str(done.backup_id))
        answer = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        digest = hashlib.sha256(body)
        assert (answer.get("ServerSideEncryption"), answer.get("SSEKMSKeyId")) == (sse, key_id)
        assert answer["ContentType"] == "application/octet-stream"
        assert answer["Metadata"] == {
            "backup-id": str(done.backup_id),
            "backup-type": "duckdb",
            "backup-scope": "full",
            "checksum-sha256": digest.hexdigest(),
        }
        assert answer["ChecksumSHA256"] == base64.b64encode(digest.digest()).decode()
        assert (ref.sha256, ref.size, ref.encryption) == (digest.hexdigest(), len(body), sse)
        assert body.startswith(b"PAR1")


def test_restore_from_s3_into_a_new_file_is_equal(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path
) -> None:
    done = duckback(seaweed, bucket, tmp_path).backup(database)
    assert json.loads(client.get_object(Bucket=bucket, Key="prod/repository.json")["Body"].read())["format"] == "1"
    (manifest,) = keys(client, bucket, "/manifests/")
    assert manifest == f"prod/small/manifests/{done.backup_id}.json"
    elsewhere = duckback(seaweed, bucket, tmp_path / "another-machine")
    target = tmp_path / "restored.duckdb"
    restored = elsewhere.restore(target)
    assert (restored.manifest.rows, len(restored.manifest.tables)) == (ROWS, TABLES)
    assert not any(differing_rows(database, target).values())
    assert list((tmp_path / "another-machine").rglob("*.parquet")) == []
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_local_copies_are_kept_for_their_time_and_staging_for_none(
    *, seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path, clock: Clock
) -> None:
    ours = duckback(seaweed, bucket, tmp_path, clock)
    first = ours.backup(database)
    assert first.committed is not None
    copies = tmp_path / "state" / str(first.committed.manifest.repository_id) / "small"
    kept = {path.name: path for path in (copies / str(first.backup_id)).iterdir()}
    assert list((tmp_path / "state" / "staging").iterdir()) == []
    for key in keys(client, bucket):
        body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        assert kept.pop(key.rpartition("/")[2]).read_bytes() == body
    assert kept == {}
    clock.now += timedelta(days=7)
    second = ours.backup(database, scope="full")
    assert sorted(path.name for path in copies.iterdir()) == sorted(map(str, (first.backup_id, second.backup_id)))
    clock.now += timedelta(seconds=1)
    third = ours.backup(database, scope="full")
    assert sorted(path.name for path in copies.iterdir()) == sorted(map(str, (second.backup_id, third.backup_id)))
    assert len(ours.backups()) == 3


def test_multipart_backup_is_verified_and_comes_back(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path
) -> None:
    database = small_database(tmp_path / "wide.duckdb", _WIDE)
    ours = duckback(seaweed, bucket, tmp_path, part_size=MIN_PART_SIZE)
    done = ours.backup(database)
    assert done.committed is not None
    (big,) = [ref for ref in done.committed.manifest.objects if ref.size > MIN_PART_SIZE]
    answer = client.head_object(Bucket=bucket, Key=f"prod/{big.key}", ChecksumMode="ENABLED")
    parts = -(-big.size // MIN_PART_SIZE)
    assert big.composite is not None
    assert big.composite.endswith(f"-{parts}")
    assert big.part_size == MIN_PART_SIZE
    assert answer["Metadata"]["checksum-sha256"] == big.sha256
    assert answer["ServerSideEncryption"] == "AES256"
    assert [result.is_good for result in ours.verify().results] == [True]
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    ours.restore(tmp_path / "restored.duckdb")
    assert not any(differing_rows(database, tmp_path / "restored.duckdb").values())


def test_verify_finds_a_deleted_and_a_replaced_object(
    seaweed: Seaweed, client: "S3Client", bucket: str, tmp_path: Path, database: Path
) -> None:
    ours = duckback(seaweed, bucket, tmp_path)
    ours.backup(database)
    people, visits = keys(client, bucket)
    size = client.head_object(Bucket=bucket, Key=visits)["ContentLength"]
    client.delete_object(Bucket=bucket, Key=people)
    client.put_object(Bucket=bucket, Key=visits, Body=b"x" * size, ChecksumAlgorithm="SHA256")
    (result,) = ours.verify().results
    assert {problem.table: problem.what for problem in result.problems} == {
        "main.people": "missing",
        "main.visits": "its checksum is not the recorded one",
    }
    assert [one.status for one in ours.backups()] == ["failed-verification"]
