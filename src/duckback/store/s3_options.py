"""How to speak to an S3 store: what `--s3-…`, `DUCKBACK_S3_…` and `[database.s3]` may set."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MIN_PART_SIZE = 5 << 20
"""S3's least for every part but the last."""
MAX_PART_SIZE = 5 << 30


class S3Options(BaseModel):
    """Everything has a default that fits AWS; credentials come from the AWS chain and are never held here.

    Attributes:
        endpoint_url: of another S3 store, "https://…"; None leaves it to AWS and its AWS_ENDPOINT_URL_S3.
        addressing_style: whether the bucket goes into the path or the host name.
        region: None leaves it to the AWS configuration.
        profile: of the AWS configuration; None is the default one.
        sse: server-side encryption that every object is written with; "none" asks for nothing.
        sse_kms_key_id: the key for "aws:kms"; None is the store's default key.
        max_concurrency: parts of one file that are sent at a time.
        part_size: bytes of a part of a multipart upload; also the size up to which one request does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint_url: str | None = None
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    region: str | None = None
    profile: str | None = None
    sse: Literal["AES256", "aws:kms", "none"] = "AES256"
    sse_kms_key_id: str | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=100)] = 4
    part_size: Annotated[int, Field(ge=MIN_PART_SIZE, le=MAX_PART_SIZE)] = 16 << 20

    @field_validator("endpoint_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold credentials; they come from the AWS environment or profile")
        return value

    @model_validator(mode="after")
    def _key_goes_with_kms(self) -> Self:
        if self.sse_kms_key_id is not None and self.sse != "aws:kms":
            raise ValueError('sse_kms_key_id needs sse = "aws:kms"')
        return self
