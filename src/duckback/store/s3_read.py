"""Reading from S3: a stream that takes up again where a connection broke."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

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
