"""Removing from S3: many keys a request where the store can do that, an answer for every key; and old uploads."""

from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from duckback.errors import NotFound, StoreError, StoreUnavailable
from duckback.store.base import DeleteFailure
from duckback.store.s3_errors import Answer, s3_errors
from duckback.store.s3_lock import locked_until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCH = 1000
"""S3's limit of keys in one request."""


def delete_keys(client: "S3Client", bucket: str, keys: list[str]) -> list[DeleteFailure]:
    """Delete whole keys; returns those that are still there.

    Raises:
        NotFound: there is no such bucket.
        StoreUnavailable: it cannot be reached; any of the keys may be gone.
    """
    rest = iter(keys)
    failures: list[DeleteFailure] = []
    while batch := list(islice(rest, BATCH)):
        refused = _together(client, bucket, batch)
        failures += [failure for key in refused if (failure := _alone(client, bucket, key))]
    return failures


def _together(client: "S3Client", bucket: str, keys: list[str]) -> list[str]:
    """Delete up to BATCH keys in one request; returns those that it did not confirm, to be tried one by one.

    Stores that have no such request, or do not take it as boto3 sends it (without Content-MD5), refuse it in many
    ways; only a missing bucket and a store that is down make single requests pointless.
    """
    what = f"cannot delete {len(keys)} keys below s3://{bucket}"
    try:
        with s3_errors(what, bucket=bucket):
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    except StoreError as error:
        if not isinstance(error.__cause__, ClientError) or isinstance(error, NotFound | StoreUnavailable):
            raise
        return keys
    gone = {row.get("Key") for row in answer.get("Deleted", [])}
    return [key for key in keys if key not in gone]


def _alone(client: "S3Client", bucket: str, key: str) -> DeleteFailure | None:
    try:
        with s3_errors(f"cannot delete s3://{bucket}/{key}", bucket=bucket):
            client.delete_object(Bucket=bucket, Key=key)
    except NotFound:
        return None
    except StoreUnavailable:
        raise
    except StoreError as error:
        until = locked_until(client, bucket, key)
        reason = f"locked until {until:%Y-%m-%d %H:%M} UTC" if until else error.message
        return DeleteFailure(key, reason, until)
    return None


def abort_older(client: "S3Client", bucket: str, prefix: str, before: datetime) -> list[str]:
    """Abort the uploads below a whole prefix that began before that time; returns their whole keys."""
    aborted = []
    pages = client.get_paginator("list_multipart_uploads")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        for row in page.get("Uploads", []):
            if row["Key"].startswith(prefix) and row["Initiated"] < before:
                _abort(client, bucket, row["Key"], row["UploadId"])
                aborted.append(row["Key"])
    return aborted


def _abort(client: "S3Client", bucket: str, key: str, upload_id: str) -> None:
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except ClientError as error:
        if Answer.of(error).status != HTTPStatus.NOT_FOUND:  # else it was completed or aborted meanwhile
            raise
