"""How to speak to an S3 store: what `--s3-…`, `DUCKBACK_S3_…` and `[database.s3]` may set."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MIN_PART_SIZE = 5 << 20
"""S3's least for every part but the last."""
MAX_PART_SIZE = 5 << 30


class S3Options(BaseModel):
    """Everything has a default that fits AWS; credentials come from the AWS chain and are never held here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint_url: str | None = Field(
        None, description='of another S3 store, "https://…"; default: AWS, or its AWS_ENDPOINT_URL_S3'
    )
    addressing_style: Literal["auto", "path", "virtual"] = Field(
        "auto", description="whether the bucket goes into the path or into the host name: auto, path or virtual"
    )
    region: str | None = Field(None, description="default: as the AWS configuration says")
    profile: str | None = Field(None, description="of the AWS configuration")
    sse: Literal["AES256", "aws:kms", "none"] = Field(
        "AES256", description="server-side encryption of every object: AES256, aws:kms or none"
    )
    sse_kms_key_id: str | None = Field(None, description="the key for aws:kms; default: the store's")
    max_concurrency: Annotated[int, Field(ge=1, le=100)] = Field(
        4, description="parts of one file that are sent at a time"
    )
    part_size: Annotated[int, Field(ge=MIN_PART_SIZE, le=MAX_PART_SIZE)] = Field(
        16 << 20, description="bytes of a part of a multipart upload, 5 MiB or more"
    )

    retry_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        60, description="how long a store that has stopped answering is asked again"
    )

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
