"""Image capture: the file is copied, consistently, whoever has it open; the copy is exported."""

from collections.abc import Callable
from pathlib import Path

from duckback.errors import SourceDamaged, SourceError
from duckback.model.export import Export
from duckback.model.manifest import FileIdentity
from duckback.model.progress import Report
from duckback.model.unchanged import why_changed
from duckback.source.capture import CaptureMode, refuse_unless_file
from duckback.source.child import run_job
from duckback.source.image.place import ImageSettings, empty, image_directory
from duckback.source.jobs import ExportImage, TakeImage
from duckback.source.order import ExportOrder, Fetch, nothing_to_fetch
from duckback.source.unchanged import look_at, unless_changed


class ImageCapture:
    """Takes a consistent image without a lock, and exports it, in a child process that a bad image may end."""

    mode: CaptureMode = "image"

    def __init__(self, path: Path, settings: ImageSettings) -> None:
        self._path = path
        self._settings = settings
        self.default_name = path.absolute().stem

    def export(self, order: ExportOrder, report: Report, fetch: Fetch = nothing_to_fetch) -> Export:
        refuse_unless_file(self._path)
        database = self._path.absolute()
        same = unless_changed(order, database)
        if same is not None:
            return same

        def attempt(directory: Path) -> Export:
            job = ExportImage(image=order_of(database, directory, self._settings), order=order)
            return Export.model_validate_json(run_job(job, report, fetch))

        return from_a_good_image(database, self._settings, order.staging, attempt)

    def release(self) -> None:
        """Nothing to let go of: the image has gone with the export."""


def order_of(database: Path, directory: Path, settings: ImageSettings) -> TakeImage:
    """The job that makes the image in a directory."""
    return TakeImage(
        database=database, directory=directory, seconds=settings.seconds, allow_network=settings.allow_network
    )


def from_a_good_image(
    database: Path, settings: ImageSettings, staging: Path, attempt: Callable[[Path], Export]
) -> Export:
    """Take images until one can be read from end to end.

    Args:
        database: the file.
        settings: how often, and where.
        staging: emptied of what a bad image has left there.
        attempt: takes an image into a directory and exports it.

    Raises:
        SourceDamaged: none of them could be read.
    """
    tries = 0
    seen: FileIdentity | None = None
    with image_directory(database, settings) as directory:
        while True:
            tries += 1
            try:
                return attempt(directory)
            except SourceDamaged as error:
                empty(directory)
                empty(staging)
                seen, before = _look(database), seen
                # An untouched file would give the same image again.
                is_untouched = seen is not None and before is not None and why_changed(before, seen) is None
                if is_untouched or tries >= settings.attempts:
                    raise _unreadable(database, tries, error) from error


def _look(database: Path) -> FileIdentity | None:
    try:
        return look_at(database)
    except SourceError:
        # It changes too fast to be looked at.
        return None


def _unreadable(database: Path, tries: int, last: SourceDamaged) -> SourceDamaged:
    return SourceDamaged(
        f"none of {tries} images of {database} could be read; of the last: {last.message}",
        hint=f"{last.hint} Its header and log were consistent each time, so the database itself may be damaged: see "
        "whether DuckDB can read a copy, and restore it from a backup if not. Extensions are not loaded.".lstrip(),
    )
