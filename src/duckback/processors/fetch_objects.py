"""fetch-objects: every object of the backup as a local file whose bytes are those that were backed up."""

from dataclasses import replace
from threading import Lock

from duckback.model.progress import Progress, Report
from duckback.repository.objects import ObjectFiles
from duckback.routes.exchange import RestoreExchange, required


class FetchObjects:
    """Takes local copies, reads objects of a local store where they lie, and fetches others."""

    name = "fetch-objects"

    def __init__(self, files: ObjectFiles, report: Report) -> None:
        self._files = files
        self._report = report

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        folder = required(exchange.staging).path / "objects"
        progress = _Sum(self._report, exchange.manifest.size_bytes)
        return replace(exchange, files=self._files.get(exchange.manifest.objects, folder, progress.add))


class _Sum:
    """Adds up bytes from several threads and reports them."""

    def __init__(self, report: Report, total: int) -> None:
        self._report = report
        self._total = total
        self._done = 0
        self._lock = Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._report(Progress(FetchObjects.name, bytes_done=self._done, bytes_total=self._total))
