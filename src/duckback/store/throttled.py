"""A store to which files go no faster than they may."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from duckback.store.base import BytesDone, Store
from duckback.store.digest import FileDigest
from duckback.store.forwarding import ForwardingStore

_LONGEST_SLEEP = 0.5


class Throttle:
    """Lets bytes through at a steady rate, whichever thread has them.

    Args:
        bytes_per_second: the rate.
        clock: seconds, monotonic.
        sleep: for so many seconds.
    """

    def __init__(
        self,
        bytes_per_second: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = clock()

    def passed(self, count: int) -> None:
        """Say that so many bytes have gone; returns when the next may."""
        with self._lock:
            # Time that nobody used is not saved up: a pause is not followed by a burst.
            self._free_at = max(self._free_at, self._clock()) + count / self._rate
            free_at = self._free_at
        while (left := free_at - self._clock()) > 0:
            # In pieces, so that an interrupt is not kept waiting.
            self._sleep(min(left, _LONGEST_SLEEP))


class ThrottledStore(ForwardingStore):
    """A store whose `put_file` is throttled; a restore, which somebody waits for, is not."""

    def __init__(self, store: Store, throttle: Throttle) -> None:
        super().__init__(store)
        self._throttle = throttle

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
        def heard(count: int) -> None:
            if on_bytes is not None:
                on_bytes(count)
            # A part that is sent again is announced as a negative number first.
            if count > 0:
                self._throttle.passed(count)

        super().put_file(key, path, digest, metadata=metadata, content_type=content_type, on_bytes=heard)


def throttled(store: Store, bytes_per_second: int | None) -> Store:
    """The store, throttled if there is a limit."""
    return store if bytes_per_second is None else ThrottledStore(store, Throttle(bytes_per_second))
