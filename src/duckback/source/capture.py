"""Capture: how a consistent view of a database is had. What is captured can be exported once, and is then released."""

import stat
from pathlib import Path
from typing import Literal, Protocol

from duckback.errors import SourceError
from duckback.model.export import Export
from duckback.model.progress import Report
from duckback.source.order import ExportOrder, Fetch, nothing_to_fetch

CaptureMode = Literal["image", "connection", "direct"]


class Capture(Protocol):
    """One way to a consistent view."""

    @property
    def mode(self) -> CaptureMode:
        """Its name in the manifest."""
        ...

    @property
    def default_name(self) -> str | None:
        """What the database is called if nobody names it."""
        ...

    def export(self, order: ExportOrder, report: Report, fetch: Fetch = nothing_to_fetch) -> Export:
        """Take the view and write what is ordered of it to Parquet files, proven.

        Args:
            order: what to write, and where to.
            report: hears how far it is.
            fetch: gets objects of the order's base.

        Raises:
            SourceError: the database cannot be read.
            Unsupported: it holds something that a backup would change.
            UsageError: the order selects what is not there.
            IntegrityError: a written file does not hold the rows that the snapshot had.
        """
        ...

    def release(self) -> None:
        """Let go of the database; safe to call twice, and before any export."""
        ...


def refuse_unless_file(path: Path) -> None:
    """Refuse what is no file, by stat alone: to open it here and close it would cost a caller its lock.

    Raises:
        SourceError: there is no file of that name.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise SourceError(f"there is no database file {path}", hint="Check the path.") from error
    except OSError as error:
        raise SourceError(f"cannot look at {path}: {error.strerror}", hint="Check the path.") from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is not a file", hint="Give the path of the database file itself.")
