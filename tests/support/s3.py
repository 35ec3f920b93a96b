"""What several tests of the S3 driver need."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from duckback.store.digest import FileDigest, digest_file
from duckback.store.s3 import S3Store

MiB = 1 << 20


def put(store: S3Store, key: str, path: Path, **changes: Any) -> FileDigest:
    digest = digest_file(path, store.part_size)
    arguments: dict[str, Any] = {"metadata": {"backup-id": "0192"}, "content_type": "application/vnd.apache.parquet"}
    store.put_file(key, path, digest, **{**arguments, **changes})
    return digest


def base64_sha256(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def refuse_calls(
    store: S3Store, operation: str, status: int, code: str, *, times: int = 1000, text: str = ""
) -> list[str]:
    """Answer an operation as some other store would; returns the list of refusals, which grows."""
    refused: list[str] = []

    def refuse(**_: object) -> Any:
        if len(refused) == times:
            return None
        refused.append(code)
        http = type("Answer", (), {"status_code": status, "headers": {}})()
        meta = {"HTTPStatusCode": status, "RetryAttempts": 0}
        return http, {"Error": {"Code": code, "Message": text}, "ResponseMetadata": meta}

    store._client.meta.events.register(f"before-call.s3.{operation}", refuse)
    return refused
