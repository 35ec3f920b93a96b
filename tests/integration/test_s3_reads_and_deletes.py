"""The S3 driver: leftovers, deletes that a store refuses, and connections that break."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.s3 import MiB, put, refuse_calls
from support.seaweed import Seaweed

from duckback.errors import IntegrityError
from duckback.store.s3 import S3Store
from duckback.store.s3_read import RESUMES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


KEY_ID = "test-key"


def test_leftovers_of_uploads_are_aborted(seaweed: Seaweed, client: "S3Client", bucket: str) -> None:
    for key in ["p/db/a", "p/db/a", "p/other", "db/outside"]:
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x")
    store = S3Store(bucket, "p", seaweed.options())
    now = datetime.now(UTC)
    assert store.abort_uploads("db/", before=now - timedelta(hours=1)) == []
    assert store.abort_uploads("db/", before=now + timedelta(hours=1)) == ["db/a", "db/a"]
    left = [row["Key"] for row in client.list_multipart_uploads(Bucket=bucket)["Uploads"]]
    assert sorted(left) == ["db/outside", "p/other"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(501, "NotImplemented"), (400, "MalformedXML"), (400, "MissingContentMD5"), (403, "AccessDenied")],
)
def test_single_deletes_where_many_are_refused(seaweed: Seaweed, bucket: str, status: int, code: str) -> None:
    store = S3Store(bucket, "", seaweed.options())
    for key in ["a", "b", "c"]:
        store.create(key, b"1")
    refused = refuse_calls(store, "DeleteObjects", status, code)
    assert store.delete(["a", "b", "nothing"]) == []
    assert refused == [code]
    assert [row.key for row in store.list("")] == ["c"]


def test_every_key_that_stays_is_reported(seaweed: Seaweed, bucket: str) -> None:
    store = S3Store(bucket, "p", seaweed.options())
    for key in ["a", "b"]:
        store.create(key, b"1")
    refuse_calls(store, "DeleteObjects", 403, "AccessDenied")
    refuse_calls(store, "DeleteObject", 403, "AccessDenied", times=1, text="Object is locked")
    failures = store.delete(["a", "b"])
    assert [each.key for each in failures] == ["a"]
    assert "Object is locked" in failures[0].reason
    assert [row.key for row in store.list("")] == ["a"]


def test_keys_that_the_answer_leaves_out_are_deleted_singly(seaweed: Seaweed, bucket: str) -> None:
    store = S3Store(bucket, "", seaweed.options())
    store.create("a", b"1")

    def say_nothing(**_: object) -> Any:
        http = type("Answer", (), {"status_code": 200, "headers": {}})()
        return http, {"ResponseMetadata": {"HTTPStatusCode": 200}}

    store._client.meta.events.register("before-call.s3.DeleteObjects", say_nothing)
    assert store.delete(["a"]) == []
    assert list(store.list("")) == []


def test_folder_markers_of_consoles_are_no_objects(seaweed: Seaweed, client: "S3Client", bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="p/", Body=b"")
    client.put_object(Bucket=bucket, Key="p/db/", Body=b"")
    store = S3Store(bucket, "p", seaweed.options())
    store.create("db/a", b"1")
    assert [row.key for row in store.list("")] == ["db/a"]


class _CutShort:
    """A response body that ends after its first bytes, as one does whose connection broke."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self._left = MiB

    def read(self, amount: int) -> bytes:
        block: bytes = self._whole.read(min(amount, self._left))
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._whole.close()


def _hang_up(store: S3Store, times: int) -> list[int]:
    """Break the connections of the next downloads after a mebibyte; returns the list of breaks, which grows."""
    breaks: list[int] = []

    def hang_up(parsed: dict[str, Any], **_: object) -> None:
        if len(breaks) < times:
            breaks.append(1)
            parsed["Body"]._raw_stream = _CutShort(parsed["Body"]._raw_stream)

    store._client.meta.events.register("after-call.s3.GetObject", hang_up)
    return breaks


def test_broken_connections_are_taken_up_again(seaweed: Seaweed, bucket: str, big: Path, tmp_path: Path) -> None:
    store = S3Store(bucket, "", seaweed.options())
    digest = put(store, "a", big)
    breaks = _hang_up(store, RESUMES)
    received: list[int] = []
    assert store.fetch("a", tmp_path / "out", on_bytes=received.append) == digest.sha256
    assert len(breaks) == RESUMES
    assert sum(received) == digest.size


def test_object_that_always_ends_early_leaves_no_file(seaweed: Seaweed, bucket: str, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes(64 * MiB))
    store = S3Store(bucket, "", seaweed.options())
    put(store, "a", path)
    _hang_up(store, 1000)
    with pytest.raises(IntegrityError, match="ended before the size"):
        store.fetch("a", tmp_path / "out")
    with pytest.raises(IntegrityError, match="ended before the size"):
        store.get("a", limit=1 << 30)
    assert not (tmp_path / "out").exists()
