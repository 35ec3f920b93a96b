"""What an export is asked to write."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from duckback.errors import UsageError
from duckback.model.export import Base
from duckback.model.selection import EVERYTHING, Selection
from duckback.source.resources import Limits, Resources

Fetch = Callable[[Sequence[str]], Mapping[str, Path]]
"""From keys of the base's objects: local files with their bytes, checked. Raises IntegrityError: they are not there."""


def nothing_to_fetch(_keys: Sequence[str]) -> Mapping[str, Path]:
    """For jobs that need no object.

    Raises:
        UsageError: always.
    """
    raise UsageError("this job was given no objects to fetch")


def order_in(
    staging: Path, *, label: str, limits: Limits, selection: Selection, base: Base | None = None
) -> "ExportOrder":
    """The order whose files go into a new folder in the run's private directory."""
    folder = staging / "parquet"
    folder.mkdir()
    resources = limits.at(staging / "spill")
    return ExportOrder(staging=folder, label=label, resources=resources, selection=selection, base=base)


class ExportOrder(BaseModel):
    """What to write, and where to.

    Attributes:
        staging: an empty directory for the files.
        label: written into each file's key-value metadata, with the table's name.
        resources: for DuckDB in a child process, and for the rehearsal of the schema.
        selection: what of the database.
        base: write the difference to this; None: all.
    """

    model_config = ConfigDict(frozen=True)

    staging: Path
    label: str
    resources: Resources
    selection: Selection = EVERYTHING
    base: Base | None = None
