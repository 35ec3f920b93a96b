"""The S3 driver against a real server, read back with plain boto3: what it holds is what was asked for."""

import base64
import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from support.s3 import MiB, base64_sha256, put, refuse_calls
from support.seaweed import Seaweed

from duckback.errors import AlreadyExists, IntegrityError, StoreUnavailable
from duckback.store.digest import FileDigest, digest_file
from duckback.store.s3 import S3Store
from duckback.store.s3_options import MIN_PART_SIZE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


KEY_ID = "test-key"


ENCRYPTIONS = [
    ({"sse": "AES256"}, ("AES256", None)),
    ({"sse": "aws:kms", "sse_kms_key_id": KEY_ID}, ("aws:kms", KEY_ID)),
    ({"sse": "none"}, (None, None)),
]


@pytest.mark.parametrize(("options", "expected"), ENCRYPTIONS, ids=["AES256", "aws:kms", "none"])
@pytest.mark.parametrize("size", ["small", "big"])
def test_everything_is_encrypted_as_asked(
    *,
    seaweed: Seaweed,
    client: "S3Client",
    bucket: str,
    options: dict[str, str],
    expected: tuple[str | None, str | None],
    size: str,
    request: pytest.FixtureRequest,
) -> None:
    store = S3Store(bucket, "", seaweed.options(part_size=MIN_PART_SIZE, **options))
    path: Path = request.getfixturevalue(size)
    put(store, "data", path)
    store.create("manifest", b"{}")
    for key in ["data", "manifest"]:
        answer = client.head_object(Bucket=bucket, Key=key)
        assert (answer.get("ServerSideEncryption"), answer.get("SSEKMSKeyId")) == expected
        found = store.head(key)
        assert (found.encryption, found.kms_key_id) == expected
    assert client.get_object(Bucket=bucket, Key="data")["Body"].read() == path.read_bytes()


def test_small_file_goes_in_one_checked_request(seaweed: Seaweed, client: "S3Client", bucket: str, small: Path) -> None:
    store = S3Store(bucket, "prod", seaweed.options())
    digest = put(store, "a/b", small)
    answer = client.head_object(Bucket=bucket, Key="prod/a/b", ChecksumMode="ENABLED")
    assert answer["ChecksumSHA256"] == base64_sha256(small)
    assert answer["ContentType"] == "application/vnd.apache.parquet"
    assert answer["Metadata"] == {"backup-id": "0192"}
    assert store.head("a/b").sha256 == digest.sha256
    assert [row.key for row in store.list("")] == ["a/b"]


def test_manifest_is_json_with_a_checksum(seaweed: Seaweed, client: "S3Client", bucket: str) -> None:
    S3Store(bucket, "", seaweed.options()).create("m.json", b"{}")
    answer = client.head_object(Bucket=bucket, Key="m.json", ChecksumMode="ENABLED")
    assert answer["ContentType"] == "application/json"
    assert answer["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"{}").digest()).decode()


@pytest.mark.parametrize("size", [12 * MiB, 10 * MiB, 5 * MiB + 1, 5 * MiB, 5 * MiB - 1])
def test_parts_are_those_of_the_digest(seaweed: Seaweed, bucket: str, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    sent: list[int] = []
    store = S3Store(bucket, "", seaweed.options(part_size=5 * MiB))
    digest = put(store, "a", path, on_bytes=sent.append)
    found = store.head("a")
    assert (digest.composite is None) == (size <= 5 * MiB)
    assert found.size == size == sum(sent)
    assert found.composite == digest.composite
    assert found.sha256 == (digest.sha256 if digest.composite is None else None)
    assert store.fetch("a", tmp_path / "out") == digest.sha256


def test_file_that_changed_meanwhile_is_never_shown(
    seaweed: Seaweed, client: "S3Client", bucket: str, big: Path
) -> None:
    store = S3Store(bucket, "", seaweed.options(part_size=5 * MiB))
    digest = digest_file(big, store.part_size)
    with big.open("r+b") as file:
        file.seek(7 * MiB)
        file.write(b"changed")
    with pytest.raises(IntegrityError, match="changed while"):
        store.put_file("a", big, digest, metadata={}, content_type="text/plain")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_wrong_checksum_is_refused_by_the_server(
    seaweed: Seaweed, client: "S3Client", bucket: str, small: Path
) -> None:
    """Otherwise the test above and the contract's would prove nothing."""
    wrong = base64.b64encode(bytes(32)).decode()
    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket=bucket, Key="plain", Body=b"x", ChecksumSHA256=wrong)
    assert refused.value.response["Error"]["Code"] == "BadDigest"
    store = S3Store(bucket, "", seaweed.options())
    digest = FileDigest(9, "00" * 32, store.part_size, None)
    with pytest.raises(IntegrityError, match="other bytes than were announced"):
        store.put_file("driver", small, digest, metadata={}, content_type="text/plain")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_second_create_is_refused(seaweed: Seaweed, bucket: str) -> None:
    first, second = (S3Store(bucket, "", seaweed.options()) for _ in range(2))
    first.create("a", b"1")
    with pytest.raises(AlreadyExists, match=f"s3://{bucket}/a"):
        second.create("a", b"1")


def test_create_whose_answer_was_lost_is_recognised(seaweed: Seaweed, bucket: str) -> None:
    """The store took it, the answer never came, boto3 tries again: 412 then means us, not somebody else."""
    store = S3Store(bucket, "", seaweed.options())
    session: Any = store._client._endpoint.http_session  # type: ignore[attr-defined]
    send = session.send
    lost: list[Any] = []

    def lose_first_answer(request: Any) -> Any:
        answer = send(request)
        if lost:
            return answer
        lost.append(answer)
        raise ReadTimeoutError(endpoint_url=seaweed.endpoint)

    session.send = lose_first_answer
    store.create("a", b"ours")
    assert [answer.status_code for answer in lost] == [200]
    assert store.get("a", limit=10) == b"ours"
    lost.clear()
    with pytest.raises(AlreadyExists):
        store.create("a", b"ours")


def test_conflicting_creates_are_tried_again_a_few_times(
    seaweed: Seaweed, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3Store(bucket, "", seaweed.options())
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    refuse = refuse_calls(store, "PutObject", 409, "ConditionalRequestConflict", times=2)
    store.create("a", b"1")
    assert len(refuse) == 2
    refuse_calls(store, "PutObject", 409, "ConditionalRequestConflict", times=1000)
    with pytest.raises(StoreUnavailable, match="ConditionalRequestConflict"):
        store.create("b", b"1")
