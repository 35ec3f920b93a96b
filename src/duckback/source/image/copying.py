"""Copying the bytes of a file: as a clone, in one go, or only where they differ. Holes stay holes."""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator

_FICLONE = 0x40049409  # linux/fs.h
_FICLONERANGE = 0x4020940D
_CLONE_RANGE = struct.Struct("qQQQ")
_NOT_HERE = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM}
_CHUNK = 4 << 20
_BLOCK = 256 << 10
_MOST_AT_ONCE = 1 << 30


def data_extents(fd: int, end: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """The ranges of a file between two positions that are not holes.

    DuckDB 2.0's memory-mapped files are 256 GiB long, nearly all of it a hole.
    """
    position = start
    while position < end:
        try:
            begin = os.lseek(fd, position, os.SEEK_DATA)
            position = min(os.lseek(fd, begin, os.SEEK_HOLE), end)
        except OSError as error:
            if error.errno == errno.ENXIO:
                # Nothing but a hole is left, or the file has just got shorter.
                return
            raise
        if begin < end:
            yield begin, position


def data_bytes(fd: int, end: int) -> int:
    """How many bytes before `end` are not in holes."""
    return sum(stop - start for start, stop in data_extents(fd, end))


def clone(source: int, target: int) -> bool:
    """Let the target share the source's blocks, as of one moment; False, and nothing done, where that cannot be.

    A target that was longer stays so. Source: ioctl_ficlone(2).
    """
    try:
        one_block = _CLONE_RANGE.pack(source, 0, os.fstatvfs(source).f_bsize, 0)
        fcntl.ioctl(target, _FICLONERANGE, one_block)
        # A clone first writes out what is dirty, and holds up writers meanwhile: here they are not held up.
        os.fdatasync(source)
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _NOT_HERE:
            return False
        raise
    return True


def copy(source: int, target: int, end: int) -> int:
    """Copy what is before `end` into an empty file; returns the bytes written, fewer if the source got shorter."""
    written = 0
    for start, stop in data_extents(source, end):
        position = start
        while position < stop:
            count = _copy_range(source, target, position, stop - position)
            if count == 0:
                return written
            position += count
            written += count
    return written


def _copy_range(source: int, target: int, position: int, count: int) -> int:
    try:
        return os.copy_file_range(source, target, min(count, _MOST_AT_ONCE), position, position)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        return os.pwrite(target, os.pread(source, min(count, _CHUNK), position), position)


def refresh(source: int, target: int, end: int) -> int:
    """Make the target equal to the source before `end`; every byte is compared, only blocks that differ are written.

    Compared are the bytes themselves: the checksum in a DuckDB block does not see the order of its words.

    Returns:
        The bytes written.
    """
    written = position = 0
    for start, stop in data_extents(source, end):
        written += _erase(target, position, start)
        written += _refresh_range(source, target, start, stop)
        position = stop
    return written + _erase(target, position, end)


def _erase(target: int, start: int, stop: int) -> int:
    # A hole of the source reads as zeros, and so must the target.
    written = 0
    for begin, end in data_extents(target, stop, start):
        for position in range(begin, end, _CHUNK):
            old = os.pread(target, min(_CHUNK, end - position), position)
            written += _write_differences(target, position, bytes(len(old)), old)
    return written


def _refresh_range(source: int, target: int, start: int, stop: int) -> int:
    written = 0
    new, old = bytearray(_CHUNK), bytearray(_CHUNK)
    for position in range(start, stop, _CHUNK):
        count = min(_CHUNK, stop - position)
        got = os.preadv(source, [memoryview(new)[:count]], position)
        had = os.preadv(target, [memoryview(old)[:count]], position)
        if got == had == _CHUNK and new == old:
            continue
        written += _write_differences(target, position, bytes(new[:got]), bytes(old[:had]))
    return written


def _write_differences(target: int, position: int, new: bytes, old: bytes) -> int:
    written = 0
    for start in range(0, len(new), _BLOCK):
        block = new[start : start + _BLOCK]
        if block != old[start : start + _BLOCK]:
            write_all(target, block, position + start)
            written += len(block)
    return written


def write_all(target: int, data: bytes, position: int) -> None:
    """Write at a position, however often the system has to be asked."""
    view = memoryview(data)
    while view:
        count = os.pwrite(target, view, position)
        view, position = view[count:], position + count
