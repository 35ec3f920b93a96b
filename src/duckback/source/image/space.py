"""Room for an image."""

import shutil
from pathlib import Path

from duckback.errors import SourceError


def refuse_unless_room(directory: Path, needed: int) -> None:
    """Refuse to begin what cannot be ended.

    Raises:
        SourceError: fewer than `needed` bytes are free.
    """
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise SourceError(
            f"an image of the database needs {needed / 1e6:,.0f} MB, and {directory} has {free / 1e6:,.0f} MB free",
            hint="Point --image-dir at a larger disk, or at the database's own reflink file system (XFS, btrfs), where "
            "an image takes no room; or use --capture direct.",
        )
