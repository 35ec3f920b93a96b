"""Taking an image: passes over the database until one is not disturbed."""

import errno
import time
from pathlib import Path

from duckback.errors import SourceBusy, SourceError
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.filesystems import refuse_network
from duckback.source.image.one_pass import one_pass
from duckback.source.image.taken import Image
from duckback.source.image.target import Target

IMAGE_NAME = "image.duckdb"

_PAUSE = 0.005


def take_image(database: Path, directory: Path, *, seconds: float, allow_network: bool = False) -> Image:
    """Copy a database, consistently, that another process may have open and write to.

    No lock is taken and nobody is stopped; the caller must not be the process that has the file open, which would
    lose its lock when it is closed here. The first pass copies, or lets the file system share the blocks; the next
    ones write what has changed since, and the first that no checkpoint disturbs is the image.

    Args:
        database: the file.
        directory: private; an image that an earlier call left there is brought up to date.
        seconds: how long to go on; one pass is always made.
        allow_network: read from network file systems too, which promise less.

    Raises:
        SourceBusy: every pass was disturbed.
        SourceError: it cannot be captured at all.
    """
    target = Target(directory / IMAGE_NAME)
    started = time.monotonic()
    if not allow_network:
        try:
            refuse_network(database)
        except OSError as error:
            raise _failed(database, directory, error) from error
    while True:
        try:
            return one_pass(database, target)
        except Disturbed as disturbed:
            spent = time.monotonic() - started
            if disturbed.is_at_rest:
                raise SourceError(
                    f"{database} cannot be captured: {disturbed.reason}, though nobody has it open",
                    hint="See whether DuckDB can open a copy of it; restore it from a backup if not.",
                ) from None
            if spent > seconds:
                raise _never_quiet(database, target.passes, spent, disturbed) from None
        except OSError as error:
            raise _failed(database, directory, error) from error
        time.sleep(_PAUSE)


def _never_quiet(database: Path, passes: int, spent: float, last: Disturbed) -> SourceBusy:
    return SourceBusy(
        f"no consistent image of {database} in {spent:.0f} s and {passes} passes over it: {last.reason}",
        hint="If checkpoints come faster than the file can be read: point --image-dir at the database's own file "
        "system if that is XFS or btrfs, back up a file-system snapshot of it, hand the application's connection to "
        "the Python API, or give it more time with --capture-timeout.",
    )


def _failed(database: Path, directory: Path, error: OSError) -> SourceError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return SourceError(
            f"the disk of {directory} is full: the image of {database} does not fit",
            hint="Free some space, or point --image-dir at a larger disk.",
        )
    return SourceError(f"{database} cannot be captured: {error}", hint="Check who may read it, and its WAL.")
