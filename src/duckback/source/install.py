"""Giving a proven database file the target's name, with what was there moved aside whole.

A WAL beside a file that it does not belong to adds rows silently (DuckDB 1.x), so a target is its file and all of
its side files. They leave in an order in which no file is ever without its own WAL, under a marker that lets the
next run finish what a kill cut short.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from duckback.errors import Locked, SourceBusy, SourceError, UsageError
from duckback.source.scratch import Scratch, sweep

SIDE_SUFFIXES = (".wal", ".wal.checkpoint", ".wal.recovery")
_SUFFIXES = ("", *SIDE_SUFFIXES)
_MARKER = ".moving"


def work_directory(target: Path, run_id: UUID) -> Scratch:
    """A private directory beside the target for the new file; those that killed restores left go."""
    prefix = f".{target.name}.restoring-"
    sweep(target.parent, prefix)
    others = [path.name for path in target.parent.glob("*") if path.name.startswith(prefix)]
    if others:
        raise Locked(f"another restore to {target} is under way", hint="Wait for it to end, or restore elsewhere.")
    return Scratch(target.parent, f"{prefix}{run_id}")


def refuse_unless_free(target: Path, *, force: bool) -> None:
    """Finish what a killed restore began there, then make sure that nothing of value has the target's name.

    Raises:
        UsageError: the target or a side file is there, and `force` is not given; or it is a directory.
    """
    _finish_moves(target)
    if target.is_dir():
        raise UsageError(f"{target} is a directory", hint="Give the path of the file to restore to.")
    present = _present(target)
    if present and not force:
        names = ", ".join(path.name for path in present)
        raise UsageError(
            f"the target exists: {names} in {target.parent}",
            hint="Restore to another path, or give --force: what is there is moved aside, not deleted.",
        )


def install(new_file: Path, target: Path, run_id: UUID, *, force: bool) -> Path | None:
    """Give the new file the target's name; killed at any moment, the old or the new database is there whole.

    Returns:
        Where the old database is now (`TARGET.before-<run id>`), None if there was none.

    Raises:
        UsageError: something appeared at the target, and `force` is not given.
        SourceBusy: another process holds the target.
        SourceError: the file system refuses.
    """
    refuse_unless_free(target, force=force)
    kept_as = target.with_name(f"{target.name}.before-{run_id}") if _present(target) else None
    try:
        if kept_as is not None:
            with _held(target):
                _move_aside(target, kept_as)
                try:
                    _publish(new_file, target)
                except FileExistsError:
                    raise
                except OSError:
                    _move_back(target, kept_as)
                    raise
        else:
            _publish(new_file, target)
    except FileExistsError as error:
        raise UsageError(f"{target} appeared while it was being restored", hint="Run the restore again.") from error
    except OSError as error:
        raise SourceError(f"cannot put the restored database in place: {error}") from error
    return kept_as


def _present(target: Path) -> list[Path]:
    return [path for suffix in _SUFFIXES if (path := _with_suffix(target, suffix)).exists()]


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextmanager
def _held(target: Path) -> Iterator[None]:
    # DuckDB locks its file with fcntl; such a lock of ours is refused while any other process has the file open.
    if not target.exists():
        yield
        return
    descriptor = os.open(target, os.O_RDWR)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SourceBusy(
                f"another process has {target} open", hint="Stop it first: it would go on writing to the old file."
            ) from error
        yield
    finally:
        os.close(descriptor)


def _move_aside(target: Path, kept_as: Path) -> None:
    marker = _with_suffix(kept_as, _MARKER)
    marker.touch(exist_ok=False)
    _sync(target.parent)
    for suffix in _SUFFIXES:
        _move(_with_suffix(target, suffix), _with_suffix(kept_as, suffix))
    _sync(target.parent)
    marker.unlink()


def _move_back(target: Path, kept_as: Path) -> None:
    # The other way round, so that the file comes last: without it, nobody opens what is there.
    for suffix in reversed(_SUFFIXES):
        _move(_with_suffix(kept_as, suffix), _with_suffix(target, suffix))
    _sync(target.parent)


def _finish_moves(target: Path) -> None:
    if not target.parent.is_dir():
        return
    start, end = f"{target.name}.before-", _MARKER
    for marker in [path for path in target.parent.iterdir() if path.name.startswith(start) and path.name.endswith(end)]:
        kept_as = marker.with_name(marker.name.removesuffix(_MARKER))
        if not target.exists():
            for suffix in SIDE_SUFFIXES:
                _move(_with_suffix(target, suffix), _with_suffix(kept_as, suffix))
        marker.unlink()
    _sync(target.parent)


def _move(old: Path, new: Path) -> None:
    if old.exists():
        old.rename(new)


def _publish(new_file: Path, target: Path) -> None:
    # A link, unlike a rename, never replaces what appeared there meanwhile.
    os.link(new_file, target)
    _sync(target.parent)
    new_file.unlink()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
