"""Local copies of uploaded files: a directory a backup."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID


def remove_copies(folder: Path, choose: Callable[[Iterable[UUID]], Iterable[UUID]]) -> list[UUID]:
    """Remove the copies of the backups that `choose` takes from those that are there.

    Raises:
        OSError: one cannot be removed.
    """
    kept = {_backup_of(path.name): path for path in folder.iterdir()} if folder.is_dir() else {}
    chosen = list(choose(backup_id for backup_id in kept if backup_id is not None))
    for backup_id in chosen:
        shutil.rmtree(kept[backup_id])
    return chosen


def _backup_of(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
