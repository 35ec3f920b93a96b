"""Whether the disks have the room that the next backup will need."""

import os
import shutil
from pathlib import Path

from duckback.config.options import Options
from duckback.model.checks import Checked, Status
from duckback.model.manifest import Manifest

_SHARE_OF_A_DATABASE = 1.0
_GROWTH = 1.25
_SPARE = 1.5


def room(options: Options, database: Path | None, newest: Manifest | None) -> list[Checked]:
    """Free space for the image (as large as the file and its log) and for staging.

    A full backup stages all its objects: as many bytes as the newest backup refers to and a quarter more, or, where
    there is none, as many as the database has. Where nothing is known, nothing is said.

    Raises:
        OSError: a directory cannot be looked at.
    """
    image_dir = options.image_dir or options.state_dir / "images"
    staging_dir = options.staging_dir or options.state_dir / "staging"
    size = _size(database) or (newest.file.size if newest is not None and newest.file is not None else 0)
    if not size:
        return []
    staged = int(newest.size_bytes * _GROWTH) if newest is not None else int(size * _SHARE_OF_A_DATABASE)
    needs = {staging_dir: staged}
    if options.capture != "direct":
        needs[image_dir] = needs.get(image_dir, 0) + max(size - _kept(image_dir), 0)
    by_disk: dict[int, tuple[Path, int]] = {}
    for directory, needed in needs.items():
        there = _existing(directory)
        first, sum_so_far = by_disk.get(there.stat().st_dev, (directory, 0))
        by_disk[there.stat().st_dev] = first, sum_so_far + needed
    return [_judged(directory, needed) for directory, needed in by_disk.values()]


def _judged(directory: Path, needed: int) -> Checked:
    free = shutil.disk_usage(_existing(directory)).free
    status = Status.CRITICAL if free < needed else Status.WARNING if free < needed * _SPARE else Status.OK
    words = f"{directory} has {free / 1e6:,.0f} MB free, and the next full backup needs about {needed / 1e6:,.0f} MB"
    return Checked("disk", status, words, (("free", f"{free}B;;{needed}"),))


def _size(database: Path | None) -> int:
    if database is None:
        return 0
    log = database.with_name(f"{database.name}.wal")
    return sum(path.stat().st_size for path in (database, log) if path.exists())


def _kept(image_dir: Path) -> int:
    """Bytes of images that are kept between runs, and filled again."""
    images = image_dir.glob("duckback-kept-*/*") if os.access(image_dir, os.R_OK) else ()
    return sum(path.stat().st_size for path in images)


def _existing(directory: Path) -> Path:
    """The directory, or the nearest one above it that is there."""
    return next(path for path in (directory.absolute(), *directory.absolute().parents) if path.exists())
