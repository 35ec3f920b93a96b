"""What a capture hands on."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from duckback.model.catalog import Frozen
from duckback.model.manifest import FileIdentity

Method = Literal["reflink", "copy"]


class Image(Frozen):
    """A consistent private copy of a database file; its WAL, if any, is beside it.

    Attributes:
        path: of the copy.
        snapshot_at: everything committed before this moment (UTC) is in it.
        file: the identity of the original, as of that moment.
        method: whether it shares the original's blocks.
        passes: how often the original was read until nobody disturbed.
        written_bytes: how much was written for it, all passes together.
        has_writer: whether a process has the original open for writing.
        notices: what the user should hear of it.
    """

    path: Path
    snapshot_at: datetime
    file: FileIdentity
    method: Method
    passes: int
    written_bytes: int
    has_writer: bool
    notices: tuple[str, ...] = ()
