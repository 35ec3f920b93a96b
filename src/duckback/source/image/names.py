"""Where a database's write-ahead log is: beside the name by which its writer opened it."""

import os
from dataclasses import dataclass
from pathlib import Path

from duckback.errors import SourceError
from duckback.source.image.locks import open_files

LOG_SUFFIXES = (".wal", ".wal.checkpoint", ".wal.recovery")
"""The log; the log of commits during a checkpoint, which counts only where the first says that one has begun; and the
one that DuckDB makes of both when it recovers, which counts for nothing until it has taken the first one's name."""


@dataclass(frozen=True)
class Logs:
    """The logs beside one name of the database, there or not.

    Attributes:
        is_certain: nobody can have another name for it. Else a log may be somewhere that we cannot see.
    """

    stem: Path
    is_certain: bool = True

    @property
    def wal(self) -> Path:
        """The write-ahead log."""
        return _with(self.stem, ".wal")

    @property
    def checkpoint_wal(self) -> Path:
        """The log of commits during a checkpoint."""
        return _with(self.stem, ".wal.checkpoint")


def find_logs(database: Path, status: os.stat_result, writer: int | None) -> Logs:
    """Find out beside which name the log is, if there is one.

    DuckDB 1.5 and newer resolve links in the path that they are given before they name the log, 1.4 does not, and no
    release knows a file's other hard links, or the names that it has in other containers.

    Args:
        database: the path that we were given.
        status: of the file.
        writer: the process that has it open, if one has; what it has open tells the name that it uses.

    Raises:
        SourceError: there are several logs; or one beside a name that nobody may use, and which may be a dead one; or
            there may be one beside a name that we cannot know.
    """
    opened = None if writer is None else open_files(writer)
    real, given = database.resolve(), database.parent.resolve() / database.name
    used = [stem for name in opened or [] for stem in _stems(name) if _is_file(stem, status)]
    stems = list(dict.fromkeys(used or [real]))
    found = [stem for stem in stems if _has_log(stem)]
    if len({_identity(_with(stem, ".wal")) for stem in found}) > 1:
        names = " and ".join(str(_with(stem, ".wal")) for stem in found)
        raise SourceError(f"{database} has more than one write-ahead log: {names}", hint=_WHICH)
    if given not in stems and _has_log(given):
        raise SourceError(f"{_with(given, '.wal')} may be a dead one: the database has other names", hint=_WHICH)
    if not found and not used and status.st_nlink > 1:
        raise SourceError(
            f"{database} has other hard links, and its write-ahead log may be beside one of them", hint=_WHICH
        )
    return Logs((found or stems)[0], is_certain=bool(used or found) or writer is None)


_WHICH = "DuckDB keeps the log beside the name that it was opened by: use one name, and remove the others."


def _has_log(stem: Path) -> bool:
    return os.path.lexists(_with(stem, ".wal"))


def _with(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def _stems(name: Path) -> list[Path]:
    # The name of an open file may be the database's own, or that of one of its logs.
    cut = [name.name.removesuffix(suffix) for suffix in LOG_SUFFIXES if name.name.endswith(suffix)]
    return [name, *(name.with_name(stem) for stem in cut if stem)]


def _is_file(name: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(name.stat(), status)
    except OSError:
        return False


def _identity(log: Path) -> tuple[int, int] | None:
    # One log can have two names: a bind mount's, and the mounted file's.
    try:
        status = log.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
