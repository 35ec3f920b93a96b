"""What goes wrong with S3, from the command line: exit 40 and clear words, never a traceback."""

import os
import socket
from pathlib import Path

import pytest
from support.place import Place
from support.seaweed import REGION, Seaweed


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def options(endpoint: str, *more: str) -> list[str]:
    fixed = ["--s3-endpoint-url", endpoint, "--s3-addressing-style", "path", "--s3-region", REGION]
    return [*fixed, "--s3-profile", "admin", *more]


def test_endpoint_that_is_down(seaweed: Seaweed, place: Place) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for verb, argument in (("list", []), ("backup", [str(place.database)])):
            ran = place.run(verb, *argument, *options(endpoint), repo="s3://bucket/x")
            ran.failed(40, "s3://bucket/x/repository.json", "Check the network and --s3-endpoint-url")
    assert place.staged() == []


def test_bucket_that_is_missing(seaweed: Seaweed, place: Place) -> None:
    ran = place.run("backup", place.database, *options(seaweed.endpoint), repo="s3://no-such-bucket/x")
    ran.failed(40, "bucket no-such-bucket does not exist", "Create the bucket first")


def test_reading_a_missing_bucket_says_the_same(seaweed: Seaweed, place: Place) -> None:
    ran = place.run("list", *options(seaweed.endpoint), repo="s3://no-such-bucket/x")
    ran.failed(40, "bucket no-such-bucket does not exist", "Create the bucket first")


def test_wrong_secret(seaweed: Seaweed, place: Place) -> None:
    bucket = seaweed.bucket()
    line = options(seaweed.endpoint)
    line[line.index("admin")] = "impostor"
    ran = place.run("backup", place.database, *line, repo=f"s3://{bucket}/x")
    ran.failed(40, "Check the credentials")
    assert "not-the-secret" not in ran.err


def test_credentials_that_may_only_read(seaweed: Seaweed, place: Place) -> None:
    bucket = seaweed.bucket()
    line = options(seaweed.endpoint)
    place.run("backup", place.database, *line, repo=f"s3://{bucket}/x").worked()
    line[line.index("admin")] = "reader"
    place.run("backup", place.database, *line, repo=f"s3://{bucket}/x").failed(40, "Check the credentials")
    assert len(place.run("list", "--json", *line, repo=f"s3://{bucket}/x").worked().json["backups"]) == 1
    place.run("restore", place.target, *line, repo=f"s3://{bucket}/x").worked()
    assert place.restored_is_equal()


def test_encryption_that_the_store_refuses(place: Place, tmp_path: Path, seaweed: Seaweed) -> None:
    server = Seaweed(tmp_path / "without-kms", kms=False)
    server.start()
    try:
        bucket = server.bucket()
        line = options(server.endpoint, "--s3-sse", "aws:kms", "--s3-sse-kms-key-id", "some-key")
        line += ["--s3-retry-seconds", "0"]  # a server without keys says that it is down
        ran = place.run("backup", place.database, *line, repo=f"s3://{bucket}/x")
        ran.failed(40, "--s3-sse")
        client = server.client()
        assert "Contents" not in client.list_objects_v2(Bucket=bucket, Prefix="x/")
        client.close()
    finally:
        server.stop()


def test_prefix_without_a_repository_tells_what_folders_are_there(seaweed: Seaweed, place: Place) -> None:
    bucket = seaweed.bucket()
    place.run("backup", place.database, *options(seaweed.endpoint), repo=f"s3://{bucket}/prod").worked()
    ran = place.run("list", *options(seaweed.endpoint), repo=f"s3://{bucket}")
    ran.failed(10, f"there is no repository at s3://{bucket}", "prod")


def test_executable_finds_credentials_in_the_environment(seaweed: Seaweed, place: Place) -> None:
    bucket = seaweed.bucket()
    environment = {
        **seaweed.environment(),
        "DUCKBACK_S3_ENDPOINT_URL": seaweed.endpoint,
        "DUCKBACK_S3_ADDRESSING_STYLE": "path",
        "AWS_REGION": REGION,
    }
    assert "AWS_PROFILE" not in os.environ
    ran = place.spawn("backup", place.database, "--json", repo=f"s3://{bucket}/p", environment=environment).worked()
    assert ran.json["objects_added"] == 2
