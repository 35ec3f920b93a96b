"""Whether a repository's store can be reached and written to, and does what the repository's safety rests on."""

from uuid import uuid4

from duckback.errors import AlreadyExists, StoreError
from duckback.model.checks import Checked, Status
from duckback.store.base import Store, StoredObject
from duckback.store.s3_options import S3Options

_BYTES = b"duckback check\n"


def writable(store: Store, s3: S3Options) -> list[Checked]:
    """Create an object under a key that nobody else uses, create it once more, look at it, delete it.

    Raises:
        StoreError: the store cannot be reached, or refuses the first create.
    """
    key = f"probes/{uuid4()}"
    store.create(key, _BYTES)
    problems: list[str] = []
    try:
        if not _refuses_a_second(store, key):
            problems.append("a second create of one key is not refused (If-None-Match is ignored)")
        problems += _looks_wrong(store.head(key), s3, is_local=store.local_path(key) is not None)
    finally:
        failures = store.delete([key])
    problems += [f"{store.uri(key)} cannot be deleted: {failure.reason}" for failure in failures]
    if not failures and any(listed.key == key for listed in store.list(key)):
        problems.append(f"{store.uri(key)} is still listed after its delete")
    if problems:
        return [Checked("repository", Status.CRITICAL, f"{store.url}: {'; '.join(problems)}")]
    return [Checked("repository", Status.OK, f"{store.url} can be written to, and refuses to overwrite")]


def _refuses_a_second(store: Store, key: str) -> bool:
    try:
        store.create(key, b"another\n")
    except AlreadyExists:
        return True
    except StoreError:
        raise
    return False


def _looks_wrong(held: StoredObject, s3: S3Options, *, is_local: bool) -> list[str]:
    if held.size != len(_BYTES):
        return [f"an object of {len(_BYTES)} bytes was stored with {held.size}"]
    if is_local or s3.sse in {"none", held.encryption}:
        return []
    return [f"objects are stored with encryption {held.encryption or 'none'} instead of {s3.sse}"]
