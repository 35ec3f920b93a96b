"""A store that is asked again, with growing pauses, when it does not answer for now.

boto3 tries each request three times within some seconds, and a read takes up again where it broke; this is for what
lasts longer: a server that starts anew, a network that is gone for half a minute. Only errors that are declared
retryable are, and every call may be repeated: keys are of one run alone, and what a lost answer to a create was about
is found out by reading it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from duckback.errors import AlreadyExists, DuckbackError, StoreUnreachable
from duckback.store.base import BytesDone, ListedObject, Store, StoredObject
from duckback.store.digest import FileDigest
from duckback.store.forwarding import ForwardingStore

_T = TypeVar("_T")

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0


class RetryingStore(ForwardingStore):
    """Another store, with patience.

    Where nothing has answered even once in this run, nothing is waited for: the address is wrong more likely than the
    store is down. Nor is a store that was waited for in vain, until it answers again.

    Args:
        store: the other one.
        seconds: how long one call is tried again.
        sleep: pauses.
    """

    def __init__(self, store: Store, *, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(store)
        self._seconds = seconds
        self._sleep = sleep
        self._answers = False
        self._in_vain = False

    def _call(self, method: str, key: str, act: Callable[[], _T]) -> _T:  # noqa: ARG002 -- any may be repeated
        return self._persist(lambda _: act())

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
        heard = _Heard(on_bytes)

        def put(number: int) -> None:
            heard.begin()
            try:
                self.inner.put_file(key, path, digest, metadata=metadata, content_type=content_type, on_bytes=heard.add)
            except AlreadyExists:
                if number == 1 or not _is(self.inner.head(key), digest):
                    raise

        self._persist(put)

    def create(self, key: str, data: bytes, *, lock: bool = False) -> None:
        def create(number: int) -> None:
            try:
                self.inner.create(key, data, lock=lock)
            except AlreadyExists:
                # An earlier try may have been carried out, and its answer lost.
                if number == 1 or self.inner.get(key, limit=max(len(data), self.inner.head(key).size)) != data:
                    raise

        self._persist(create)

    def fetch(self, key: str, path: Path, *, on_bytes: BytesDone | None = None) -> str:
        heard = _Heard(on_bytes)

        def fetch(_: int) -> str:
            heard.begin()
            return self.inner.fetch(key, path, on_bytes=heard.add)

        return self._persist(fetch)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Every object below the prefix; all pages are read before the first is given, so that none is given twice."""
        return iter(self._persist(lambda _: [*self.inner.list(prefix)]))

    def _persist(self, act: Callable[[int], _T]) -> _T:
        """Do it until it is done or refused, or the time is over; `act` is told which try it is, counted from 1."""
        retrying = Retrying(
            retry=retry_if_exception(_is_retryable),
            wait=wait_random_exponential(multiplier=_FIRST_PAUSE_SECONDS, max=_LONGEST_PAUSE_SECONDS),
            stop=self._is_enough,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            for attempt in retrying:
                with attempt:
                    result = act(attempt.retry_state.attempt_number)
        except DuckbackError as error:
            self._in_vain = error.retryable
            self._answers |= not error.retryable
            raise
        self._answers, self._in_vain = True, False
        return result

    def _is_enough(self, state: RetryCallState) -> bool:
        waited = max(state.idle_for, state.seconds_since_start or 0.0)
        error = state.outcome.exception() if state.outcome is not None else None
        is_elsewhere = isinstance(error, StoreUnreachable) and not self._answers
        return self._in_vain or is_elsewhere or waited >= self._seconds


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, DuckbackError) and error.retryable


def _is(held: StoredObject, digest: FileDigest) -> bool:
    same = held.sha256 == digest.sha256 if held.sha256 is not None else held.composite == digest.composite
    return held.size == digest.size and same


class _Heard:
    """Tells bytes on, and takes back those of a try that failed."""

    def __init__(self, on_bytes: BytesDone | None) -> None:
        self._on_bytes = on_bytes
        self._lock = Lock()
        self._count = 0

    def begin(self) -> None:
        if self._count:
            self.add(-self._count)

    def add(self, count: int) -> None:
        with self._lock:
            self._count += count
        if self._on_bytes is not None:
            self._on_bytes(count)
