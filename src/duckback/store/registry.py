"""From a URL to the driver for it."""

import re
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

from duckback.errors import IntegrityError, UsageError
from duckback.store.base import ObjectLock, Store
from duckback.store.keys import check_key
from duckback.store.local import LocalStore
from duckback.store.retrying import RetryingStore
from duckback.store.s3_options import S3Options

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_FORMS = "Give a directory, file:///directory or s3://bucket/prefix."


def open_store(url: str, s3: S3Options, lock: ObjectLock | None = None) -> Store:
    """The store at a directory, `file://` URL or `s3://bucket/prefix`; nothing is read or written yet.

    A path with a colon in its first name is written with a leading "./".

    Raises:
        UsageError: no driver knows such a URL, or it lacks a part; or the store has no object lock.
    """
    found = _SCHEME.match(url)
    scheme = found[1].lower() if found else ""
    if scheme == "s3":
        return _open_s3(url, s3, lock)
    if lock is not None:
        raise UsageError("only S3 has an object lock", hint="Leave out --object-lock, or give an s3:// repository.")
    if scheme == "file":
        return LocalStore(_path_of(url))
    if scheme or not url:
        raise UsageError(f"no store is known for {_without_credentials(url)!r}", hint=_FORMS)
    return LocalStore(Path(url).expanduser())


def _open_s3(url: str, options: S3Options, lock: ObjectLock | None) -> Store:
    begin, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if "@" in bucket:
        raise UsageError(
            "an s3:// URL must not hold credentials",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.",
        )
    if not bucket or not begin.isalnum():
        raise UsageError(f"{url!r} names no bucket", hint=_FORMS)
    prefix = prefix.rstrip("/")
    try:
        check_key(prefix or "root")
    except IntegrityError as error:
        raise UsageError(f"{url!r} has an empty or relative part in its prefix", hint=_FORMS) from error
    # boto3 takes half a second to import, which a local repository should not cost.
    driver: type[Store] = import_module("duckback.store.s3").S3Store
    found = driver(bucket, prefix, options, lock)  # type: ignore[call-arg]  # a Protocol says nothing of constructors
    return RetryingStore(found, seconds=options.retry_seconds)


def _path_of(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise UsageError(f"{_without_credentials(url)!r} is not the URL of a local directory", hint=_FORMS)
    return Path(unquote(parts.path))


def _without_credentials(url: str) -> str:
    return re.sub(r"//[^/]*@", "//…@", url)
