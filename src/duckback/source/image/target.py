"""The image under construction, from pass to pass."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from duckback.source.image.copying import clone, copy, data_bytes, refresh
from duckback.source.image.names import LOG_SUFFIXES
from duckback.source.image.sight import Stillness
from duckback.source.image.space import refuse_unless_room
from duckback.source.image.taken import Method


@dataclass
class Target:
    """Where an image is made; there may be an earlier one of the same database.

    Attributes:
        can_clone: the file systems have not refused to share blocks yet.
        passes: how often its blocks were made those of the source.
    """

    path: Path
    can_clone: bool = True
    passes: int = 0
    written_bytes: int = 0
    stillness: Stillness = field(default_factory=Stillness)

    def fill(self, source: int) -> Method:
        """Make the image's blocks those of the open source.

        Raises:
            SourceError: there is no room.
        """
        self.passes += 1
        with self._opened() as fd:
            size = os.fstat(source).st_size
            self.can_clone = self.can_clone and clone(source, fd)
            if self.can_clone:
                os.ftruncate(fd, size)
                return "reflink"
            held = os.fstat(fd)
            refuse_unless_room(self.path.parent, data_bytes(source, size) - held.st_blocks * 512)
            self.written_bytes += refresh(source, fd, size) if held.st_size else copy(source, fd, size)
            os.ftruncate(fd, size)
            return "copy"

    def is_equal(self, source: int) -> bool:
        """Whether the blocks of the source are what they were; the image is made equal if not."""
        with self._opened() as fd:
            return refresh(source, fd, os.fstat(source).st_size) == 0

    def log(self, suffix: str) -> Path:
        """The name of a log beside it."""
        return self.path.with_name(self.path.name + suffix)

    def remove_logs(self) -> None:
        """Make sure that no log of an earlier pass is beside it."""
        for suffix in LOG_SUFFIXES:
            self.log(suffix).unlink(missing_ok=True)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            yield fd
        finally:
            os.close(fd)
