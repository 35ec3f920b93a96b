"""Direct capture: the file is opened where it is."""

from pathlib import Path

from duckback.model.export import Export
from duckback.model.progress import Report
from duckback.source.capture import CaptureMode, refuse_unless_file
from duckback.source.child import run_job
from duckback.source.jobs import ExportFile
from duckback.source.order import ExportOrder, Fetch, nothing_to_fetch
from duckback.source.unchanged import unless_changed


class DirectCapture:
    """Opens the file read-only in a child process; writers cannot open it meanwhile."""

    mode: CaptureMode = "direct"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.default_name = path.absolute().stem

    def export(self, order: ExportOrder, report: Report, fetch: Fetch = nothing_to_fetch) -> Export:
        refuse_unless_file(self._path)
        database = self._path.absolute()
        same = unless_changed(order, database)
        if same is not None:
            return same
        job = ExportFile(database=database, order=order)
        return Export.model_validate_json(run_job(job, report, fetch))

    def release(self) -> None:
        """Nothing to let go of: the child that had the file open has ended."""
