"""A look at a database file: which one, in which state, without reading its rows."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from duckback.errors import SourceBusy
from duckback.model.manifest import FileIdentity
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.header import read_header
from duckback.source.image.identity import identity_of
from duckback.source.image.one_pass import opened
from duckback.source.image.sight import Sight

_LOOKS = 100
_PAUSE = 0.01


def look(database: Path) -> FileIdentity:
    """Identify a file and its state; not to be called by the process that has it open.

    Raises:
        SourceBusy: it did not stand still for long enough.
        SourceError: it is no DuckDB file.
    """
    for _ in range(_LOOKS):
        try:
            return _once(database)
        except (Disturbed, FileNotFoundError) as error:
            last = error
            time.sleep(_PAUSE)
    raise SourceBusy(
        f"cannot look at {database}: {last}",
        hint="Try again when less is written to it; if nobody does, see whether DuckDB can open a copy of it.",
    )


def _once(database: Path) -> FileIdentity:
    with opened(database) as source:
        seen_at, status = datetime.now(UTC), os.fstat(source)
        header = read_header(source, str(database))
        logs = Sight.of(database, source).logs
        there = [log for log in (logs.wal, logs.checkpoint_wal) if log.exists()]
        return identity_of(database, status, headers=header.raw, logs=there, seen_at=seen_at)
