"""How far a running statement is, asked from beside it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

_INTERVAL_SECONDS = 0.2


@contextmanager
def followed(con: duckdb.DuckDBPyConnection, tell: Callable[[float], None]) -> Iterator[None]:
    """Tell, five times a second from a thread, which share (0 to 1) of the running statement is done."""
    finished = threading.Event()

    def poll() -> None:
        while not finished.wait(_INTERVAL_SECONDS):
            percent = con.query_progress()
            if percent > 0:
                tell(min(percent / 100, 1.0))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
