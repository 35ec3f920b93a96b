"""Which way a database is captured."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from duckback.errors import UsageError
from duckback.source.capture import Capture
from duckback.source.capture_direct import DirectCapture
from duckback.source.capture_image import ImageCapture
from duckback.source.image.place import ImageSettings

if TYPE_CHECKING:
    from duckback.source.capture_connection import Connection

CaptureChoice = Literal["auto", "image", "connection", "direct"]


def capture_of(database: "Path | Connection", choice: CaptureChoice, settings: ImageSettings) -> Capture:
    """The way to capture what the caller gave: a file, or a connection that it has open.

    Raises:
        UsageError: what was chosen does not go with what was given.
    """
    if not isinstance(database, Path):
        if choice not in {"auto", "connection"}:
            raise UsageError(f"a connection cannot be captured as {choice}", hint="Give the path of its file instead.")
        # Imports DuckDB, as whoever has a connection has done already.
        from duckback.source.capture_connection import ConnectionCapture  # noqa: PLC0415 -- as above

        return ConnectionCapture(database, settings)
    if choice == "connection":
        raise UsageError(
            "a file cannot be captured over a connection", hint="Hand the application's connection to the Python API."
        )
    return DirectCapture(database) if choice == "direct" else ImageCapture(database, settings)
