"""Reading from S3: a stream that takes up again where a connection broke."""

from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError

from duckback.store.digest import READ_SIZE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESUMES = 5
"""How many broken connections one read survives."""
_BROKEN = (IncompleteReadError, ResponseStreamingError, ReadTimeoutError)


class ObjectReader:
    """One object on its way here; `size` is the number of bytes that the store announced."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        answer = client.get_object(Bucket=bucket, Key=key)
        self.size = answer["ContentLength"]
        self._body = answer["Body"]

    def blocks(self) -> Iterator[bytes]:
        """The bytes, once. A connection that breaks looks like an early end, so the rest is asked for again.

        Raises:
            IncompleteReadError: the object ends early however often it is asked for.
        """
        done = resumes = 0
        while True:
            try:
                for block in self._body.iter_chunks(READ_SIZE):
                    yield block
                    done += len(block)
            except _BROKEN:
                if resumes == RESUMES:
                    raise
            else:
                return
            resumes += 1
            self._body.close()
            rest = f"bytes={done}-"
            self._body = self._client.get_object(Bucket=self._bucket, Key=self._key, Range=rest)["Body"]

    def close(self) -> None:
        self._body.close()


def read_part(client: "S3Client", bucket: str, key: str, first: int, count: int) -> bytes:
    """At most `count` bytes of an object from the one at `first`; fewer where it ends before."""
    data = bytearray()
    for tried in range(RESUMES + 1):
        wanted = f"bytes={first + len(data)}-{first + count - 1}"
        try:
            answer = client.get_object(Bucket=bucket, Key=key, Range=wanted)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                break
            raise
        with closing(answer["Body"]) as body:
            try:
                for block in body.iter_chunks(READ_SIZE):
                    data += block
            except _BROKEN:
                if tried == RESUMES:
                    raise
            else:
                break
    return bytes(data)
