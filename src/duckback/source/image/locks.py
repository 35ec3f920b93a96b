"""Who has a database open for writing, and how, asked without taking a lock."""

import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

_FLOCK = struct.Struct("hhqqi4x")


def writer_of(fd: int) -> int | None:
    """The process that holds a write lock on the file, None if there is none (fcntl's F_GETLK takes no lock).

    Returns:
        Its id; 0 or less where it is in another namespace.
    """
    wanted = _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, process = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, wanted))
    return None if kind == fcntl.F_UNLCK else int(process)


def open_files(process: int) -> list[Path] | None:
    """The names of the files that a process has open, as we can reach them; None if we may not look.

    A process in a container has its own names for files: those begin with its root.
    """
    folder = Path("/proc", str(process))
    try:
        is_elsewhere = (folder / "ns/mnt").readlink() != Path("/proc/self/ns/mnt").readlink()
        names = [name for entry in _entries(folder) if (name := _name_of(entry)) is not None]
    except OSError:
        return None
    return [folder / "root" / name.relative_to("/") for name in names] if is_elsewhere else names


def writes_directly(process: int, status: os.stat_result) -> bool:
    """Whether a process has the file of that status open past the page cache (O_DIRECT); False if we may not look."""
    try:
        return any(_is_direct(entry, status) for entry in _entries(Path("/proc", str(process))))
    except OSError:
        return False


def _entries(folder: Path) -> Iterator[Path]:
    return (folder / "fd").iterdir()


def _name_of(entry: Path) -> Path | None:
    try:
        name = entry.readlink()
    except OSError:
        # Closed since.
        return None
    return name if name.is_absolute() else None


def _is_direct(entry: Path, status: os.stat_result) -> bool:
    try:
        if not os.path.samestat(entry.stat(), status):
            return False
        information = Path(entry.parent.with_name("fdinfo"), entry.name).read_text()
    except OSError:
        # Closed since.
        return False
    flags = next(line.split()[1] for line in information.splitlines() if line.startswith("flags:"))
    return bool(int(flags, 8) & os.O_DIRECT)
