"""Fixtures of the tests against a real S3 server."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.s3 import MiB
from support.seaweed import Seaweed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def client(seaweed: Seaweed) -> Iterator["S3Client"]:
    client = seaweed.client()
    yield client
    client.close()


@pytest.fixture
def bucket(seaweed: Seaweed) -> str:
    return seaweed.bucket()


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big"
    path.write_bytes(os.urandom(12 * MiB))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small"
    path.write_bytes(b"some rows")
    return path
