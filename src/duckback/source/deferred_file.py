"""The text of what could not be created, beside the restored file."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from duckback.errors import SourceError
from duckback.model.catalog import Deferred

SUFFIX = ".deferred.sql"

_MODE = 0o600


def write_deferred(target: Path, deferred: Sequence[Deferred]) -> Path | None:
    """Write `TARGET.deferred.sql`, or remove what an earlier restore left under that name.

    Returns:
        The file; None where nothing was deferred.

    Raises:
        SourceError: it cannot be written.
    """
    path = target.with_name(target.name + SUFFIX)
    try:
        path.unlink(missing_ok=True)
        if not deferred:
            return None
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in _lines(target, deferred))
    except OSError as error:
        raise SourceError(f"the database is restored, but {path} cannot be written: {error.strerror}") from error
    return path


def _lines(target: Path, deferred: Sequence[Deferred]) -> Iterator[str]:
    yield f"-- What the restore of {_one_line(target.name)} could not create. Read it before you run it."
    for item in deferred:
        yield ""
        yield f"-- {item.kind} {_one_line(item.label)}: {_one_line(item.reason)}"
        yield from (f"{statement.rstrip().rstrip(';')};" for statement in item.statements)


def _one_line(text: str) -> str:
    # A line break in a name would end the comment, and what follows would be SQL.
    return " ".join(text.split())
