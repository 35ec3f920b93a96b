"""Which URL opens which driver, and which options are refused."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from duckback.errors import UsageError
from duckback.store.local import LocalStore
from duckback.store.registry import open_store
from duckback.store.retrying import RetryingStore
from duckback.store.s3 import S3Store
from duckback.store.s3_options import S3Options


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("/srv/backups", "/srv/backups"),
        ("file:///srv/my%20backups", "/srv/my backups"),
        ("file://localhost/srv", "/srv"),
        ("./s3:odd", "s3:odd"),
        ("~/backups", str(Path("~/backups").expanduser())),
    ],
)
def test_directories(url: str, root: str) -> None:
    store = open_store(url, S3Options())
    assert isinstance(store, LocalStore)
    assert store.url == root
    assert store.uri("a/b") == str(Path(root).absolute() / "a/b")


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("s3://bucket", "s3://bucket/a"),
        ("s3://bucket/", "s3://bucket/a"),
        ("s3://bucket/prod/x/", "s3://bucket/prod/x/a"),
        ("S3://bucket/prod", "s3://bucket/prod/a"),
    ],
)
def test_buckets(url: str, uri: str) -> None:
    store = open_store(url, S3Options(region="us-east-1"))
    assert isinstance(store, RetryingStore)
    assert isinstance(store.inner, S3Store)
    assert store.uri("a") == uri
    assert store.url == uri.removesuffix("/a")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3://",
        "s3:///prefix",
        "s3:bucket",
        "s3://b/a//b",
        "s3://b/../c",
        "gs://bucket",
        "https://host/x",
        "file://host/srv",
        "file:relative",
        "file:///srv?x=1",
    ],
)
def test_other_urls_are_wrong_usage(url: str) -> None:
    with pytest.raises(UsageError):
        open_store(url, S3Options())


@pytest.mark.parametrize("url", ["s3://KEY:HUNTER2@bucket/x", "https://me:HUNTER2@host/x", "file://me:HUNTER2@host/x"])
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(url, S3Options())
    assert "HUNTER2" not in caught.value.message + caught.value.hint


def test_unknown_profile_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="no-such-profile"):
        open_store("s3://bucket", S3Options(profile="no-such-profile"))


def test_local_store_does_not_import_boto3() -> None:
    code = (
        "import sys; from duckback.store.registry import open_store; from duckback.store.s3_options import S3Options;"
        "open_store('/tmp/x', S3Options()); sys.exit('boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint_url": "localhost:9000"},
        {"endpoint_url": "https://key:secret@host"},
        {"sse": "AES128"},
        {"sse_kms_key_id": "key"},
        {"part_size": 5 * 1024**2 - 1},
        {"max_concurrency": 0},
        {"bucket": "x"},
    ],
)
def test_options_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        S3Options.model_validate(options)
