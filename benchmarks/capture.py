"""What an image costs: the writer's throughput while images are taken, and their speed beside `cp`."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

from support.engines import INSTALLED
from support.stress.captures import image
from support.stress.processes import Writer

from benchmarks.measure import Measured, Row, compared, interleaved
from duckback.source.image.take import take_image

WINDOW_SECONDS = 60
TARGET = 0.95
_CHECKPOINTS = ("--checkpoint-interval", 10, "--bulk-interval", 1, "--wal-megabytes", 16)
_SETTLE_SECONDS = 10


def costs(megabytes: int, folder: Path, repeat: int, say: Callable[[str], None]) -> list[Row]:
    """Measure both on a database of that size.

    Args:
        megabytes: of rows that the writer leaves alone.
        folder: for all that is written.
        repeat: pairs of windows, and of copies.
        say: hears each pair.
    """
    with Writer(INSTALLED, folder, "--initial-megabytes", megabytes, *_CHECKPOINTS) as writer:
        size = f"{writer.database.stat().st_size / 1e9:.1f} GB"
        time.sleep(_SETTLE_SECONDS)
        pairs = [_pair(writer, folder, number, say) for number in range(repeat)]
        writer.stop()
        database = writer.database
        return [_throughput(pairs, size), *_speed(database, folder, repeat, size)]


def _pair(writer: Writer, folder: Path, number: int, say: Callable[[str], None]) -> tuple[float, float]:
    # Each order in turn, so that what changes over time falls on both alike.
    without, during = (
        (_window(writer), _window(writer, folder))
        if number % 2 == 0
        else reversed((_window(writer, folder), _window(writer)))
    )
    say(f"transactions a second: {without:.0f} without, {during:.0f} with an image taken: {during / without:.3f}")
    return without, during


def _window(writer: Writer, folder: Path | None = None) -> float:
    started, before = time.monotonic(), writer.sequence
    if folder is not None:
        with _directory(folder) as directory:
            image(writer.database, directory)
    time.sleep(started + WINDOW_SECONDS - time.monotonic())
    return (writer.sequence - before) / (time.monotonic() - started)


def _throughput(pairs: list[tuple[float, float]], size: str) -> Row:
    ratios = [during / without for without, during in pairs]
    return Row(
        what=f"writer of {size}, an image every {WINDOW_SECONDS} s",
        duckback=f"{median(during for _, during in pairs):.0f} transactions/s",
        peer=f"{median(without for without, _ in pairs):.0f} transactions/s  without images",
        ratio=f"{median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})",
        target=f">= {TARGET}",
        is_met=median(ratios) >= TARGET,
    )


def _speed(database: Path, folder: Path, repeat: int, size: str) -> list[Row]:
    with _directory(folder) as kept:
        take_image(database, kept, seconds=0)
        ours, peer, again = interleaved(
            repeat,
            lambda: _timed(lambda directory: take_image(database, directory, seconds=0), folder),
            lambda: _timed(lambda directory: subprocess.run(["cp", database, directory], check=True), folder),
            lambda: _timed(lambda _: take_image(database, kept, seconds=0), folder),
        )
    return [
        compared(f"image of {size}", ours, peer, "cp", target=None),
        compared("  of it once more, the image kept", again, peer, "cp", target=None),
    ]


def _timed(work: Callable[[Path], object], folder: Path) -> Measured:
    with _directory(folder) as directory:
        started = time.perf_counter()
        work(directory)
        return Measured(time.perf_counter() - started)


@contextmanager
def _directory(folder: Path) -> Iterator[Path]:
    path = Path(mkdtemp(dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path)
