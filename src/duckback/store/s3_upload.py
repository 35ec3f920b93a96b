"""Checks inside an upload: boto3's `upload_file` hides the requests that it makes, and one of them shows the object."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from duckback.errors import IntegrityError
from duckback.store.digest import composite_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_WRITES = ("PutObject", "UploadPart")
_CONTEXT = "duckback_upload"


@dataclass
class Upload:
    """One upload under way.

    Attributes:
        composite: what the parts must add up to, or None for an upload in one request.
        encryption: every encryption that the store has named in its answers; None where it named none.
    """

    composite: str | None
    encryption: set[str | None]


class UploadChecks:
    """Watches the requests of a client through its events; several uploads of different keys may run at once."""

    def __init__(self, client: "S3Client") -> None:
        self._uploads: dict[str, Upload] = {}
        events = client.meta.events
        events.register("before-parameter-build.s3.CompleteMultipartUpload", self._before_complete)
        for operation in _WRITES:
            events.register(f"before-parameter-build.s3.{operation}", self._before_write)
            events.register(f"after-call.s3.{operation}", self._after_write)

    @contextmanager
    def watch(self, key: str, composite: str | None) -> Iterator[Upload]:
        """Check the upload of this (whole) key while the block runs."""
        upload = self._uploads[key] = Upload(composite, set())
        try:
            yield upload
        finally:
            del self._uploads[key]

    def _before_complete(self, params: dict[str, Any], **_: object) -> None:
        """The last moment at which a file that changed meanwhile can be refused with nothing stored."""
        upload = self._uploads.get(params["Key"])
        sums = [part.get("ChecksumSHA256") for part in params["MultipartUpload"]["Parts"]]
        if upload and upload.composite and all(sums):
            found = composite_of([base64.b64decode(each) for each in sums])
            if found != upload.composite:
                raise IntegrityError(f"the file changed while it was stored as {params['Key']}: its parts differ")

    def _before_write(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context[_CONTEXT] = self._uploads.get(params["Key"])

    def _after_write(self, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        upload: Upload | None = context.get(_CONTEXT)
        if upload and "Error" not in parsed:
            upload.encryption.add(parsed.get("ServerSideEncryption"))
