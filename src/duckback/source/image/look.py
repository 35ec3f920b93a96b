"""A look at a database file: which one, in which state, without reading its rows.

A child process does it and nothing else at every incremental: neither DuckDB nor pydantic may be imported from here.
"""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from duckback.errors import SourceBusy
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.header import read_header
from duckback.source.image.identity import identity_of
from duckback.source.image.opening import opened
from duckback.source.image.sight import Sight

_LOOKS = 100
_PAUSE = 0.01


def look(database: Path) -> dict[str, Any]:
    """Identify a file and its state, as the fields of a FileIdentity; not by the process that has the file open.

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


def look_as_json(database: Path) -> str:
    """The same as text."""
    seen = look(database)
    return json.dumps({**seen, "seen_at": seen["seen_at"].isoformat()})


def _once(database: Path) -> dict[str, Any]:
    with opened(database) as source:
        seen_at, status = datetime.now(UTC), os.fstat(source)
        header = read_header(source, str(database))
        logs = Sight.of(database, source).logs
        there = [log for log in (logs.wal, logs.checkpoint_wal) if log.exists()]
        return identity_of(database, status, headers=header.raw, logs=there, seen_at=seen_at)
