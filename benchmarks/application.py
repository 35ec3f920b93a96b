"""What a backup costs the application: its transactions a second while one is taken, at the defaults."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

from support.engines import INSTALLED
from support.stress.processes import Writer

from benchmarks.measure import Row

TARGET = 0.95
_WRITES = ("--checkpoint-interval", 10, "--bulk-interval", 1, "--wal-megabytes", 16)
_SETTLE_SECONDS = 10
_PAUSE_SECONDS = 3


def costs(megabytes: int, folder: Path, repeat: int, say: Callable[[str], None]) -> list[Row]:
    """Measure full backups of a database of that size beside its writer.

    A window with a backup lasts as long as the backup, and the one without just as long, right before or after it.

    Args:
        megabytes: of rows that the writer leaves alone.
        folder: for all that is written.
        repeat: pairs of windows.
        say: hears each pair.
    """
    with Writer(INSTALLED, folder, "--initial-megabytes", megabytes, *_WRITES) as writer:
        time.sleep(_SETTLE_SECONDS)
        size = f"{writer.database.stat().st_size / 1e9:.1f} GB"
        _, seconds = _during_a_backup(writer, folder)
        pairs = [_pair(writer, folder, number, seconds, say) for number in range(repeat)]
        writer.stop()
    ratios = [during / without for without, during in pairs]
    return [
        Row(
            what=f"writer of {size}, while a full backup is taken",
            duckback=f"{median(during for _, during in pairs):.0f} transactions/s",
            peer=f"{median(without for without, _ in pairs):.0f} transactions/s  without backups",
            ratio=f"{median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})",
            target=f">= {TARGET}",
            is_met=median(ratios) >= TARGET,
        )
    ]


def _pair(writer: Writer, folder: Path, number: int, seconds: float, say: Callable[[str], None]) -> tuple[float, float]:
    # Each order in turn, so that what changes over time falls on both alike.
    if number % 2:
        during, seconds = _during_a_backup(writer, folder)
        without = _without(writer, seconds)
    else:
        without = _without(writer, seconds)
        during, seconds = _during_a_backup(writer, folder)
    lost = f"{during / without:.3f}"
    say(f"transactions a second: {without:.0f} without, {during:.0f} in {seconds:.1f} s of backup: {lost}")
    return without, during


def _without(writer: Writer, seconds: float) -> float:
    time.sleep(_PAUSE_SECONDS)
    started, before = time.monotonic(), writer.sequence
    time.sleep(seconds)
    return (writer.sequence - before) / (time.monotonic() - started)


def _during_a_backup(writer: Writer, folder: Path) -> tuple[float, float]:
    place = Path(mkdtemp(dir=folder))
    command = [str(Path(sys.executable).with_name("duckback")), "backup", str(writer.database), "--full"]
    command += ["--repo", str(place / "repo"), "--state-dir", str(place / "state")]
    time.sleep(_PAUSE_SECONDS)
    started, before = time.monotonic(), writer.sequence
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=place)
    seconds = time.monotonic() - started
    rate = (writer.sequence - before) / seconds
    shutil.rmtree(place)
    return rate, seconds
