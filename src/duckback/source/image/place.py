"""Where an image is while it is needed."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from duckback.errors import SourceError
from duckback.source.scratch import Scratch, sweep

_PREFIX = "duckback-image-"


@dataclass(frozen=True)
class ImageSettings:
    """How images are taken.

    Attributes:
        directory: for images; each is in a private directory of its own there.
        keep: leave the image for the next capture of the same database, which then writes only what has changed.
        attempts: how many images may turn out unreadable before that is taken for the database's own state.
        seconds: how long one image may take.
        allow_network: read from network file systems too.
    """

    directory: Path
    keep: bool = False
    attempts: int = 5
    seconds: float = 600
    allow_network: bool = False


@contextmanager
def image_directory(database: Path, settings: ImageSettings) -> Iterator[Path]:
    """A private directory for an image, gone afterwards unless images are kept; so are those that killed runs left.

    While another run uses the kept image, there is a fresh directory.

    Raises:
        SourceError: it cannot be made.
    """
    sweep(settings.directory, _PREFIX)
    kept = settings.directory / _kept_name(database)
    with _claimed(kept, settings) as is_ours:
        if is_ours:
            yield kept
            return
        with Scratch(settings.directory, f"{_PREFIX}{uuid4()}") as scratch:
            yield scratch.path


def empty(directory: Path) -> None:
    """Remove what is in a directory."""
    for path in directory.iterdir():
        path.unlink() if path.is_file() else shutil.rmtree(path)


def _kept_name(database: Path) -> str:
    return f"duckback-kept-{hashlib.sha256(os.fsencode(database.resolve())).hexdigest()[:32]}"


@contextmanager
def _claimed(kept: Path, settings: ImageSettings) -> Iterator[bool]:
    if not settings.keep and not kept.exists():
        yield False
        return
    if not settings.keep and not _is_private(kept.stat()):
        # Another user's, who has a database of that name.
        yield False
        return
    lock = _opened(kept)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever switched keeping off may have removed it between the two calls.
        is_ours = kept.exists() and os.path.samestat(os.fstat(lock), kept.stat())
    except BlockingIOError:
        is_ours = False
    try:
        if is_ours and not settings.keep:
            shutil.rmtree(kept)
        yield is_ours and settings.keep
    finally:
        os.close(lock)


def _opened(kept: Path) -> int:
    try:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(kept, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(
            f"cannot make the directory {kept}: {error.strerror}", hint="Images can be elsewhere (--image-dir)."
        ) from error
    if not _is_private(os.fstat(lock)):
        os.close(lock)
        raise SourceError(
            f"{kept} is not private to this user", hint="Remove it, and point --image-dir where nobody else can write."
        )
    return lock


def _is_private(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o077
