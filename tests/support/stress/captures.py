"""Ways to copy a database that another process has open."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from duckback.model.progress import unheard
from duckback.source.child import run_job
from duckback.source.image.taken import Image
from duckback.source.jobs import TakeImage

SECONDS = 60.0
_CHUNK = 4 << 20


@dataclass(frozen=True)
class Copied:
    """A copy of a database file; its WAL, if any, is beside it.

    Attributes:
        passes: how often the database was read for it.
    """

    path: Path
    passes: int = 1


Capture = Callable[[Path, Path], Copied]
"""Copies the database file that is its first argument into the empty directory that is its second."""


def image(database: Path, directory: Path) -> Copied:
    """Duckback's."""
    job = TakeImage(database=database, directory=directory, seconds=SECONDS)
    taken = Image.model_validate_json(run_job(job, unheard))
    return Copied(taken.path, taken.passes)


def kept_image(kept: Path) -> Capture:
    """Duckback's, into one directory, in which each brings the one before up to date."""

    def capture(database: Path, _: Path) -> Copied:
        kept.mkdir(exist_ok=True)
        return image(database, kept)

    return capture


def plain_copy(megabytes_per_second: float = float("inf")) -> Capture:
    """`cp` of the file and then of its log, as people do, at the speed of a disk if one is given."""

    def capture(database: Path, directory: Path) -> Copied:
        target = directory / "copy.duckdb"
        _copy(database, target, megabytes_per_second)
        with suppress(FileNotFoundError):
            _copy(_log(database), _log(target), megabytes_per_second)
        return Copied(target)

    return capture


def _log(database: Path) -> Path:
    return database.with_name(database.name + ".wal")


def _copy(source: Path, target: Path, megabytes_per_second: float) -> None:
    started, done = time.monotonic(), 0
    with source.open("rb") as original, target.open("wb") as copy:
        while count := os.copy_file_range(original.fileno(), copy.fileno(), _CHUNK):
            done += count
            time.sleep(max(0.0, started + done / (megabytes_per_second * 1_000_000) - time.monotonic()))
