"""A private copy of a write-ahead log that its writer goes on appending to."""

import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duckback.errors import Unsupported
from duckback.source.image.copying import write_all
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.wal import TAIL_BYTES, Wal, ends_in_checkpoint, parse_wal

_CHUNK = 4 << 20


class LogCopy:
    """A log, open until the second look at it, and the place of its copy.

    Raises:
        FileNotFoundError: there is no log.
        Unsupported: it is no file.
    """

    def __init__(self, original: Path, copy: Path) -> None:
        self.path = copy
        self._name = original
        self._fd = _opened(original)
        self._size = 0

    def fill(self) -> None:
        """Copy what is there now.

        Raises:
            Disturbed: it got shorter meanwhile.
        """
        self._size = os.fstat(self._fd).st_size
        with _created(self.path) as target:
            for start, block in self._blocks():
                write_all(target, block, start)

    def close(self) -> None:
        """Let go of the original."""
        os.close(self._fd)

    def parse(self) -> Wal:
        """What the copy says.

        Raises:
            Disturbed: it makes no sense.
        """
        with _mapped(self.path) as data:
            return parse_wal(data)

    def check(self, *, may_grow: bool) -> None:
        """Look at the original again.

        Raises:
            Disturbed: it is another file now, or does not begin with what was copied; or it grew and must not.
        """
        now = os.fstat(self._fd)
        try:
            named = self._name.stat()
        except FileNotFoundError:
            raise Disturbed("its WAL was removed meanwhile") from None
        if not os.path.samestat(named, now):
            raise Disturbed("its WAL was replaced meanwhile")
        if now.st_size < self._size or (now.st_size > self._size and not may_grow):
            raise Disturbed("its WAL was cut or written to meanwhile")
        with self.path.open("rb") as copy:
            if any(block != copy.read(len(block)) for _, block in self._blocks()):
                raise Disturbed("its WAL was rewritten meanwhile")

    def ends_in_checkpoint(self) -> bool:
        """Whether a checkpoint has begun in the original by now."""
        size = os.fstat(self._fd).st_size
        return ends_in_checkpoint(os.pread(self._fd, TAIL_BYTES, max(0, size - TAIL_BYTES)))

    def cut(self, committed: int) -> None:
        """Drop what comes after the last commit."""
        os.truncate(self.path, committed)

    def drop(self, ranges: tuple[tuple[int, int], ...]) -> None:
        """Take these ranges of bytes, which are in order, out of the copy."""
        data = self.path.read_bytes()
        bounds = [0, *(bound for piece in ranges for bound in piece), len(data)]
        self.path.write_bytes(b"".join(data[a:b] for a, b in zip(bounds[::2], bounds[1::2], strict=True)))

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        for start in range(0, self._size, _CHUNK):
            count = min(_CHUNK, self._size - start)
            block = os.pread(self._fd, count, start)
            if len(block) < count:
                raise Disturbed("its WAL was cut meanwhile")
            yield start, block


def _opened(original: Path) -> int:
    fd = os.open(original, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Unsupported(f"{original} is not a file")
    return fd


@contextmanager
def _created(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _mapped(path: Path) -> Iterator[bytes | mmap.mmap]:
    with path.open("rb") as file:
        if not path.stat().st_size:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
