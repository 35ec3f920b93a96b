"""Object lock: what the store was told to hold against deletion, and what it says that it holds."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from duckback.store.base import ObjectLock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def lock_arguments(lock: ObjectLock | None) -> dict[str, Any]:
    """The arguments of a put that lock the object from now on; none where no lock is asked for."""
    if lock is None:
        return {}
    return {"ObjectLockMode": lock.mode.upper(), "ObjectLockRetainUntilDate": datetime.now(UTC) + lock.length}


def locked_until(client: "S3Client", bucket: str, key: str) -> datetime | None:
    """Until when the store holds an object that it refused to delete; None: it holds none, or does not say."""
    try:
        return client.head_object(Bucket=bucket, Key=key).get("ObjectLockRetainUntilDate")
    except (ClientError, BotoCoreError):
        return None  # the refusal itself is reported, whatever its reason
