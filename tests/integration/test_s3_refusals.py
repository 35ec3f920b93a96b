"""What the S3 driver says when a real server, or one that answers like another, refuses."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.s3 import put, refuse_calls
from support.seaweed import Seaweed

from duckback.errors import AccessDenied, NotFound, StoreError, StoreUnavailable
from duckback.store.s3 import S3Store
from duckback.store.s3_options import MIN_PART_SIZE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


KEY_ID = "test-key"


def test_missing_bucket_is_named(seaweed: Seaweed, small: Path, tmp_path: Path) -> None:
    store = S3Store("no-such-bucket", "", seaweed.options())
    calls: list[Callable[[], object]] = [
        lambda: put(store, "a", small),
        lambda: store.create("a", b"1"),
        lambda: store.get("a", limit=1),
        lambda: store.fetch("a", tmp_path / "out"),
        lambda: list(store.list("")),
        lambda: store.delete(["a"]),
    ]
    for call in calls:
        with pytest.raises(NotFound, match="bucket no-such-bucket does not exist") as caught:
            call()
        assert "Create the bucket" in caught.value.hint
    with pytest.raises(NotFound):
        store.head("a")


def test_wrong_secret_is_denied(seaweed: Seaweed, bucket: str, small: Path) -> None:
    store = S3Store(bucket, "", seaweed.options(profile="impostor"))
    calls: list[Callable[[], object]] = [
        lambda: put(store, "a", small),
        lambda: store.create("a", b"1"),
        lambda: store.get("a", limit=1),
        lambda: store.head("a"),
        lambda: list(store.list("")),
    ]
    for call in calls:
        with pytest.raises(AccessDenied, match=f"s3://{bucket}") as caught:
            call()
        assert "credentials" in caught.value.hint
        assert "not-the-secret" not in str(caught.value)


def test_read_only_key_reads_and_cannot_write(seaweed: Seaweed, client: "S3Client", bucket: str, small: Path) -> None:
    S3Store(bucket, "", seaweed.options()).create("kept", b"1")
    store = S3Store(bucket, "", seaweed.options(profile="reader"))
    assert store.get("kept", limit=1) == b"1"
    with pytest.raises(AccessDenied):
        put(store, "a", small)
    with pytest.raises(AccessDenied):
        store.create("a", b"1")
    assert [each.key for each in store.delete(["kept"])] == ["kept"]
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_no_credentials_are_denied(seaweed: Seaweed, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    store = S3Store(bucket, "", seaweed.options(profile=None))
    with pytest.raises(AccessDenied, match="credentials"):
        list(store.list(""))


def test_environment_is_the_ordinary_one(seaweed: Seaweed, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", seaweed.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    S3Store(bucket, "", seaweed.options(profile=None, endpoint_url=None, region=None)).create("a", b"1")


def test_store_that_is_down_is_unavailable(seaweed: Seaweed, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = S3Store("bucket", "", seaweed.options(endpoint_url="http://127.0.0.1:9"))
    calls: list[Callable[[], object]] = [
        lambda: put(store, "a", small),
        lambda: store.create("a", b"1"),
        lambda: list(store.list("")),
        lambda: store.delete(["a"]),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable) as caught:
            call()
        assert caught.value.retryable


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory, seaweed: Seaweed) -> Iterator[Seaweed]:
    """A server without a key service."""
    server = Seaweed(tmp_path_factory.mktemp("keyless"), kms=False)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("size", ["small", "big"])
def test_store_without_key_service_refuses_and_names_the_option(
    keyless: Seaweed, size: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    bucket, client = keyless.bucket(), keyless.client()
    store = S3Store(bucket, "", keyless.options(sse="aws:kms", part_size=MIN_PART_SIZE))
    with pytest.raises(StoreError) as caught:
        put(store, "a", request.getfixturevalue(size))
    assert "--s3-sse" in caught.value.hint
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    client.close()


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (501, "NotImplemented", "A header you provided implies functionality that is not implemented"),
        (400, "InvalidArgument", "Server Side Encryption with AWS KMS managed key requires HTTP header"),
        (400, "KMS.NotFoundException", "key does not exist"),
    ],
)
def test_refused_encryption_names_the_option(
    *, seaweed: Seaweed, bucket: str, small: Path, status: int, code: str, text: str
) -> None:
    store = S3Store(bucket, "", seaweed.options())
    refuse_calls(store, "PutObject", status, code, text=text)
    for call in (lambda: put(store, "a", small), lambda: store.create("a", b"1")):
        with pytest.raises(StoreError, match="refuses server-side encryption AES256") as caught:
            call()
        assert "--s3-sse" in caught.value.hint
        assert not caught.value.retryable


def test_plain_write_of_a_store_that_ignores_the_option_is_withdrawn(
    *, seaweed: Seaweed, client: "S3Client", bucket: str, small: Path, big: Path
) -> None:
    store = S3Store(bucket, "", seaweed.options(part_size=MIN_PART_SIZE))

    def drop(params: dict[str, Any], **_: object) -> None:
        params["headers"].pop("x-amz-server-side-encryption")

    for operation in ("PutObject", "CreateMultipartUpload"):
        store._client.meta.events.register(f"before-call.s3.{operation}", drop)
    for call in (
        lambda: put(store, "a", small),
        lambda: put(store, "a", big),
        lambda: store.create("a", b"1"),
    ):
        with pytest.raises(StoreError, match="answers encryption None, not AES256"):
            call()
        assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
