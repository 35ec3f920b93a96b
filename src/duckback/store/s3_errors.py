"""What boto3 raises, as the tree of `duckback.errors`, with what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from boto3.exceptions import Boto3Error
from botocore import exceptions as aws

from duckback.errors import (
    AccessDenied,
    AlreadyExists,
    IntegrityError,
    NotFound,
    StoreError,
    StoreUnavailable,
    StoreUnreachable,
)

_REDIRECTS = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"}
_CORRUPT = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}
_LATER = {"RequestTimeout", "RequestTimeoutException", "SlowDown", "ServiceUnavailable", "InternalError"}
_LATER |= {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "IncompleteBody"}
_LATER_STATUS = {409, 429, 500, 502, 503, 504}
_STALE = {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired", "RequestExpired"}
_SSE_WORDS = ("encrypt", "kms", "x-amz-server-side")
_RENEW = "These credentials are no longer valid: renew them (aws sso login, or a new session token)."
_CHECK_CREDENTIALS = "Check the credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE, --s3-profile) and what they may do here."

_NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.NoAuthTokenError,
    aws.TokenRetrievalError,
    aws.SSOError,
)
_NETWORK = (aws.HTTPClientError, aws.ConnectionError)


@dataclass(frozen=True)
class Answer:
    """The parts of a refusal that tell refusals apart."""

    code: str
    message: str
    status: int
    header: str
    attempts: int

    @classmethod
    def of(cls, error: aws.ClientError) -> "Answer":
        response: Any = error.response
        said, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
        return cls(
            code=str(said.get("Code", "")),
            message=str(said.get("Message", "")).rstrip("."),
            status=int(meta.get("HTTPStatusCode", 0)),
            header=str(said.get("Header", "")),
            attempts=int(meta.get("RetryAttempts", 0)) + 1,
        )

    def __str__(self) -> str:
        return f"{self.code or self.status}: {self.message}"


@contextmanager
def s3_errors(what: str, *, bucket: str, sse: str = "none") -> Iterator[None]:
    """Turn boto3's errors into the tree's.

    Args:
        what: what was being done, and to which URI.
        bucket: the bucket's name.
        sse: the encryption that the request asked for, if it was a write; its refusal names the option.
    """
    try:
        yield
    except (aws.ClientError, aws.BotoCoreError, Boto3Error) as error:
        raise of_the_tree(error, what, bucket=bucket, sse=sse) from error


def of_the_tree(error: BaseException, what: str, *, bucket: str, sse: str) -> StoreError | IntegrityError:
    """The error of the tree for one of boto3's; arguments as for `s3_errors`."""
    if isinstance(error, Boto3Error):  # upload_file wraps what the client raised, without naming it as the cause
        error = error.__cause__ or error.__context__ or error
    if isinstance(error, aws.ClientError):
        return _refusal(Answer.of(error), what, bucket=bucket, sse=sse)
    if isinstance(error, aws.IncompleteReadError):
        return IntegrityError(f"{what}: it ended before the size that the store had announced")
    return _not_answered(error, f"{what}: {_lower(error)}")


def _not_answered(error: BaseException, message: str) -> StoreError:
    if isinstance(error, _NO_CREDENTIALS):
        return AccessDenied(message, hint=_CHECK_CREDENTIALS)
    if isinstance(error, aws.SSLError):
        return StoreError(message, hint="Check the certificate of the endpoint, or AWS_CA_BUNDLE.")
    if isinstance(error, _NETWORK):
        return StoreUnreachable(message, hint="Check the network and --s3-endpoint-url.")
    return StoreError(message)


def _lower(error: BaseException) -> str:
    return str(error).strip().rstrip(".").replace("\n", " ")


def _refusal(answer: Answer, what: str, *, bucket: str, sse: str) -> StoreError | IntegrityError:
    if answer.code == "NoSuchBucket":
        return NotFound(
            f"{what}: bucket {bucket} does not exist", hint="Create the bucket first, or correct its name in the URL."
        )
    if answer.code in _CORRUPT:
        return IntegrityError(f"{what}: the store received other bytes than were announced ({answer})")
    if _refuses_encryption(answer, sse):
        return StoreError(f"{what}: the store refuses server-side encryption {sse} ({answer})", hint=sse_hint(sse))
    return _by_status(answer, what, sse=sse)


def _by_status(answer: Answer, what: str, *, sse: str) -> StoreError:
    message = f"{what}: {answer}"
    if answer.code in _REDIRECTS or answer.status == HTTPStatus.MOVED_PERMANENTLY:
        return StoreError(message, hint="The bucket is in another region: set --s3-region.")
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or answer.code in _STALE:
        return AccessDenied(message, hint=_hint_on_access(answer.code))
    if answer.status == HTTPStatus.NOT_FOUND:
        return NotFound(f"{what}: it does not exist")
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return AlreadyExists(f"{what}: it exists already")
    if answer.code in _LATER or answer.status in _LATER_STATUS:
        return StoreUnavailable(message, hint=_kms_hint(sse))
    return StoreError(message)


def _hint_on_access(code: str) -> str:
    if code == "RequestTimeTooSkewed":
        return "Set the clock of this machine."
    return _RENEW if code in _STALE else _CHECK_CREDENTIALS


def _refuses_encryption(answer: Answer, sse: str) -> bool:
    if sse == "none" or "If-None-Match" in answer.header + answer.message:
        return False
    if answer.status == HTTPStatus.NOT_IMPLEMENTED or answer.code.startswith("KMS."):
        return True
    named = f"{answer.code} {answer.message} {answer.header}".lower()
    return answer.status == HTTPStatus.BAD_REQUEST and any(word in named for word in _SSE_WORDS)


def sse_hint(sse: str) -> str:
    """What somebody can do whose store does not encrypt as asked."""
    key = ", or check --s3-sse-kms-key-id" if sse == "aws:kms" else ""
    return f"Choose with --s3-sse an encryption that the store has (AES256, aws:kms or none){key}."


def _kms_hint(sse: str) -> str:
    # A store without a key service may answer a plain 500 (SeaweedFS does), which looks like one that is down.
    return f"If it stays so, the store may have no key service for aws:kms. {sse_hint(sse)}" if sse == "aws:kms" else ""
