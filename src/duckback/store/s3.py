"""A store in an S3 bucket. The only package that speaks to AWS is this one and its `s3_…` neighbours."""

import base64
import builtins
import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from duckback.errors import AlreadyExists, IntegrityError, StoreError
from duckback.store.base import BytesDone, DeleteFailure, ListedObject, ObjectLock, StoredObject
from duckback.store.digest import FileDigest
from duckback.store.files import os_errors, whole, write_new
from duckback.store.keys import check_key, check_prefix
from duckback.store.s3_client import connect, stored_object, transfer_config
from duckback.store.s3_delete import abort_older, delete_keys
from duckback.store.s3_errors import Answer, s3_errors, sse_hint
from duckback.store.s3_lock import lock_arguments
from duckback.store.s3_options import S3Options
from duckback.store.s3_read import ObjectReader, read_part
from duckback.store.s3_upload import UploadChecks

_CREATE_ATTEMPTS = 6
_CREATE_ID = "create-id"


class S3Store:
    """Objects below `s3://bucket/prefix`; needs read-after-write and list-after-write, which AWS has since 2020.

    An existing key is refused by `create` only; `put_file` relies on keys that nobody else uses.
    """

    def __init__(self, bucket: str, prefix: str, options: S3Options, lock: ObjectLock | None = None) -> None:
        self._bucket = bucket
        self._lock = lock
        self._root = f"{prefix}/" if prefix else ""
        self._options = options
        self._client = connect(options)
        self._checks = UploadChecks(self._client)

    @property
    def url(self) -> str:
        return f"s3://{self._bucket}/{self._root}".rstrip("/")

    @property
    def part_size(self) -> int:
        return self._options.part_size

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._key(key)}"

    def local_path(self, key: str) -> Path | None:
        self._key(key)
        return None

    def put_file(
        self,
        key: str,
        path: Path,
        digest: FileDigest,
        *,
        metadata: Mapping[str, str],
        content_type: str,
        on_bytes: BytesDone | None = None,
    ) -> None:
        """Send a file in one request or in parts; the store checks the SHA-256 of each.

        The composite of the parts is checked before the upload is completed; what the store then holds is for
        the caller to ask (`head`).

        Raises:
            IntegrityError: the file's bytes are not those of the digest; nothing is stored.
            StoreError: refused; the hint names `--s3-sse` where the store does not encrypt as asked.
        """
        extra: dict[str, Any] = {"Metadata": dict(metadata), "ContentType": content_type}
        extra |= {**self._encryption(), **lock_arguments(self._lock)}
        if digest.composite is None:
            extra["ChecksumSHA256"] = _base64_of(digest.sha256)
        else:
            extra["ChecksumAlgorithm"] = "SHA256"
        with (
            self._checks.watch(self._key(key), digest.composite) as upload,
            os_errors(f"cannot read {path}"),
            self._writing(f"cannot store {self.uri(key)}"),
        ):
            self._client.upload_file(
                Filename=str(path),
                Bucket=self._bucket,
                Key=self._key(key),
                ExtraArgs=extra,
                Callback=on_bytes,
                Config=transfer_config(self._options, digest),
            )
        if upload.encryption != {self._options.sse}:
            self._insist_on_encryption(key)

    def create(self, key: str, data: bytes, *, lock: bool = False) -> None:
        """Store small bytes under a new key. After StoreUnavailable it is unknown whether they are there."""
        mine = uuid4().hex
        for attempt in range(_CREATE_ATTEMPTS):
            try:
                with self._writing(f"cannot create {self.uri(key)}"):
                    answer = self._client.put_object(
                        Bucket=self._bucket,
                        Key=self._key(key),
                        Body=data,
                        IfNoneMatch="*",
                        ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
                        ContentType="application/json",
                        Metadata={_CREATE_ID: mine},
                        **self._encryption(),
                        **(lock_arguments(self._lock) if lock else {}),
                    )
            except AlreadyExists as error:
                if _tried_before(error, attempt) and self.head(key).metadata.get(_CREATE_ID) == mine:
                    break  # the store had taken an earlier try whose answer was lost
                raise
            except StoreError as error:
                if not _is_conflict(error) or attempt == _CREATE_ATTEMPTS - 1:
                    raise
                time.sleep(0.05 * 2**attempt)
            else:
                if answer.get("ServerSideEncryption") == self._options.sse:
                    return
                break
        self._insist_on_encryption(key)

    def _insist_on_encryption(self, key: str) -> None:
        """Never a silent plain write: what the store took without encrypting it as asked is withdrawn."""
        if self._options.sse == "none":
            return
        found = self.head(key).encryption
        if found == self._options.sse:
            return
        left = "".join(f"; it is still there: {each.reason}" for each in self.delete([key]))
        raise StoreError(
            f"cannot store {self.uri(key)}: the store answers encryption {found}, not {self._options.sse}{left}",
            hint=sse_hint(self._options.sse),
        )

    def get(self, key: str, *, limit: int) -> bytes:
        with self._reading(f"cannot read {self.uri(key)}"), self._open(key) as reader:
            if reader.size > limit:
                raise IntegrityError(f"{self.uri(key)} has {reader.size} bytes, more than the {limit} expected")
            data = b"".join(reader.blocks())
        self._insist_on_size(key, len(data), reader.size)
        return data

    def read(self, key: str, first: int, count: int) -> bytes:
        with self._reading(f"cannot read {self.uri(key)}"):
            data = read_part(self._client, self._bucket, self._key(key), first, count)
        return whole(data, count, self.uri(key))

    def fetch(self, key: str, path: Path, *, on_bytes: BytesDone | None = None) -> str:
        with self._reading(f"cannot read {self.uri(key)}"), self._open(key) as reader:
            size, sha256 = write_new(path, self._blocks(key, reader), on_bytes)
        if size != reader.size:
            path.unlink()
        self._insist_on_size(key, size, reader.size)
        return sha256

    def _open(self, key: str) -> AbstractContextManager[ObjectReader]:
        return closing(ObjectReader(self._client, self._bucket, self._key(key)))

    def _blocks(self, key: str, reader: ObjectReader) -> Iterator[bytes]:
        # Some of botocore's network errors are OSErrors too, and would pass for errors of the file written.
        with self._reading(f"cannot read {self.uri(key)}"):
            yield from reader.blocks()

    def _insist_on_size(self, key: str, found: int, announced: int) -> None:
        if found != announced:
            raise IntegrityError(f"{self.uri(key)} has {found} bytes where the store had announced {announced}")

    def head(self, key: str, *, known: bool = False) -> StoredObject:  # noqa: ARG002 -- S3 knows it anyway
        with self._reading(f"cannot look at {self.uri(key)}"):
            answer = self._client.head_object(Bucket=self._bucket, Key=self._key(key), ChecksumMode="ENABLED")
        return stored_object(key, answer)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Every object below the prefix, sorted here: not every S3 store lists in key order."""
        check_prefix(prefix)
        found: builtins.list[ListedObject] = []
        with self._reading(f"cannot list {self.url}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._root + prefix):
                found += [
                    ListedObject(row["Key"].removeprefix(self._root), row["Size"], row["LastModified"])
                    for row in page.get("Contents", [])
                    if not row["Key"].endswith("/")  # consoles make such markers and call them folders
                ]
        return iter(sorted(found, key=_key_of))

    def folders(self, prefix: str) -> builtins.list[str]:
        check_prefix(prefix)
        whole = self._root + prefix
        found: set[str] = set()
        with self._reading(f"cannot list {self.url}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=whole, Delimiter="/"):
                found |= {row["Prefix"].removeprefix(whole).rstrip("/") for row in page.get("CommonPrefixes", [])}
        return sorted(found)

    def delete(self, keys: builtins.list[str]) -> builtins.list[DeleteFailure]:
        whole = {self._key(key): key for key in keys}
        failures = delete_keys(self._client, self._bucket, [*whole])
        return [replace(each, key=whole[each.key]) for each in failures]

    def abort_uploads(self, prefix: str, *, before: datetime) -> builtins.list[str]:
        check_prefix(prefix)
        with self._reading(f"cannot abort uploads below {self.url}/{prefix}"):
            aborted = abort_older(self._client, self._bucket, self._root + prefix, before)
        return [key.removeprefix(self._root) for key in aborted]

    def _key(self, key: str) -> str:
        check_key(key)
        return self._root + key

    def _encryption(self) -> dict[str, Any]:
        if self._options.sse == "none":
            return {}
        key = self._options.sse_kms_key_id
        return {"ServerSideEncryption": self._options.sse} | ({"SSEKMSKeyId": key} if key else {})

    def _reading(self, what: str) -> AbstractContextManager[None]:
        return s3_errors(what, bucket=self._bucket)

    def _writing(self, what: str) -> AbstractContextManager[None]:
        return s3_errors(what, bucket=self._bucket, sse=self._options.sse)


def _base64_of(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def _key_of(row: ListedObject) -> str:
    return row.key


def _tried_before(error: StoreError, attempt: int) -> bool:
    return attempt > 0 or (isinstance(error.__cause__, ClientError) and Answer.of(error.__cause__).attempts > 1)


def _is_conflict(error: StoreError) -> bool:
    return isinstance(error.__cause__, ClientError) and Answer.of(error.__cause__).status == HTTPStatus.CONFLICT
