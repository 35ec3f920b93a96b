"""A process that owns a database file and never rests: `python -m support.stress.writer` in the folder `tests`.

Needs nothing but DuckDB, of any release. Prints one line of JSON when the database is there and every thread is at
work, and one at its end, which comes after `--seconds`, at SIGTERM, or when its standard input is closed. Any error
ends it with exit code 1; its threads write to different tables, so that there are no conflicts to put up with.
"""

import json
import os
import random
import select
import signal
import sys
import threading
import time
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import duckdb
from support.stress.bulk import Bulk
from support.stress.counter import Counter
from support.stress.schema import create
from support.stress.tally import Tally
from support.stress.transactions import Transactions


def arguments() -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("database", type=Path)
    parser.add_argument("counter", type=Path, help="eight bytes: the newest committed transaction's number")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--initial-megabytes", type=int, default=120, help="of rows that do not change")
    parser.add_argument("--checkpoint-interval", type=float, default=0.05, help="mean seconds between two")
    parser.add_argument("--bulk-interval", type=float, default=0.1, help="mean seconds between two bulk statements")
    parser.add_argument("--wal-megabytes", type=int, default=4, help="DuckDB's own checkpoint threshold")
    parser.add_argument("--seed", type=int, default=20261123)
    return parser.parse_args()


class Threads:
    """Work that is repeated in threads until it is stopped or one of them fails."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.failures: list[str] = []
        self._threads: list[threading.Thread] = []

    def repeat(self, step: Callable[[], None], chance: random.Random, interval: float = 0.0) -> None:
        """Start a thread; it pauses between its steps so long on average, an interval of 0 is no pause."""

        def run() -> None:
            try:
                while not (interval and self.stopped.wait(chance.expovariate(1 / interval))):
                    if self.stopped.is_set():
                        return
                    step()
            except BaseException:  # noqa: BLE001
                self.failures.append(traceback.format_exc())
                self.stopped.set()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


def checkpoints(cursor: duckdb.DuckDBPyConnection, tally: Tally, chance: random.Random) -> Callable[[], None]:
    def step() -> None:
        # A plain one is refused while others write; a forced one waits until they have ended.
        try:
            cursor.execute("FORCE CHECKPOINT" if chance.random() < 0.5 else "CHECKPOINT")
            tally["checkpoints"] += 1
        except duckdb.TransactionException as refusal:
            if "Cannot CHECKPOINT" not in str(refusal):
                raise
            tally["refused_checkpoints"] += 1

    return step


def wait_for_the_end(stopped: threading.Event, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not stopped.is_set() and time.monotonic() < until:
        if select.select([0], [], [], 0.05)[0] and not os.read(0, 1):
            break
    stopped.set()


def main(options: Namespace) -> int:
    tally, chance = Tally(), random.Random(options.seed)
    threads = Threads()
    signal.signal(signal.SIGTERM, lambda *_: threads.stopped.set())
    with duckdb.connect(str(options.database)) as con:
        con.execute(f"SET wal_autocheckpoint = '{options.wal_megabytes}MB'; SET memory_limit = '1GB'; SET threads = 2")
        create(con, options.initial_megabytes)
        small = Transactions(con.cursor(), Counter(options.counter), tally, options.seed + 1)
        bulk = Bulk(con.cursor(), tally, options.seed + 2)
        small.step()
        bulk.first()
        started = time.monotonic()
        threads.repeat(small.step, chance)
        threads.repeat(bulk.step, chance, options.bulk_interval)
        threads.repeat(checkpoints(con.cursor(), tally, chance), chance, options.checkpoint_interval)
        print(json.dumps({"ready": True, "duckdb": duckdb.__version__}), flush=True)
        wait_for_the_end(threads.stopped, options.seconds)
        seconds = time.monotonic() - started
        threads.join()
        for failure in threads.failures:
            print(failure, file=sys.stderr, flush=True)
    print(json.dumps({"seconds": seconds, **tally}), flush=True)
    return 1 if threads.failures else 0


if __name__ == "__main__":
    sys.exit(main(arguments()))
