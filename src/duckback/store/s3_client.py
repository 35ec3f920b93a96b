"""The boto3 client of a store: the ordinary AWS configuration, with what we must not leave to defaults."""

import base64
from typing import TYPE_CHECKING

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from duckback.errors import UsageError
from duckback.store.base import StoredObject
from duckback.store.digest import FileDigest
from duckback.store.s3_options import S3Options

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

CONNECT_SECONDS = 10
READ_SECONDS = 60


def connect(options: S3Options) -> "S3Client":
    """A client; credentials come from the ordinary chain, and are looked for at the first request.

    Raises:
        UsageError: there is no such profile, or the AWS configuration cannot be used.
    """
    try:
        session = boto3.Session(profile_name=options.profile, region_name=options.region)
        return session.client("s3", endpoint_url=options.endpoint_url, config=_config(options))
    except (BotoCoreError, ValueError) as error:
        raise UsageError(
            f"the AWS configuration cannot be used: {error}", hint="Check --s3-profile, --s3-region and ~/.aws/config."
        ) from error


def _config(options: S3Options) -> Config:
    return Config(
        # The defaults ("when_supported") send trailers that many other S3 stores refuse, deletes included.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=max(16, 2 * options.max_concurrency),
        s3={"addressing_style": options.addressing_style},
        user_agent_extra="duckback",
    )


def transfer_config(options: S3Options, digest: FileDigest) -> TransferConfig:
    """Parts exactly as the digest was made for them: a file of one part goes in one request."""
    return TransferConfig(
        multipart_threshold=digest.part_size + 1,
        multipart_chunksize=digest.part_size,
        max_concurrency=options.max_concurrency,
        preferred_transfer_client="classic",  # the CRT client ignores part size and event hooks
    )


def stored_object(key: str, answer: "HeadObjectOutputTypeDef") -> StoredObject:
    """What the store says of an object; its SHA-256 is of the whole where it went in one request."""
    checksum = answer.get("ChecksumSHA256", "")
    return StoredObject(
        key=key,
        size=answer["ContentLength"],
        sha256=base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None,
        composite=checksum if "-" in checksum else None,
        encryption=answer.get("ServerSideEncryption"),
        kms_key_id=answer.get("SSEKMSKeyId"),
        content_type=answer.get("ContentType"),
        metadata=dict(answer["Metadata"]),
        locked_until=answer.get("ObjectLockRetainUntilDate"),
    )
