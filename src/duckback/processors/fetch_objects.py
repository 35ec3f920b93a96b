"""fetch-objects: every object of the backup as a local file whose bytes are those that were backed up."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from threading import Lock

from duckback.errors import IntegrityError, NotFound, StoreError
from duckback.model.manifest import ObjectRef
from duckback.model.progress import Progress, Report
from duckback.routes.exchange import RestoreExchange, required
from duckback.store.base import Store
from duckback.store.digest import digest_file

_DOWNLOADS = 4


class FetchObjects:
    """Reads objects of a local store where they lie, and copies others; hashes every byte either way."""

    name = "fetch-objects"

    def __init__(self, store: Store, report: Report) -> None:
        self._store = store
        self._report = report

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        folder = required(exchange.staging).path / "objects"
        folder.mkdir()
        progress = _Sum(self._report, exchange.manifest.size_bytes)
        unique = list({ref.key: ref for ref in exchange.manifest.objects}.values())
        pool = ThreadPoolExecutor(_DOWNLOADS)
        try:
            paths = list(
                pool.map(
                    lambda item: self._fetch(
                        item[1], folder / f"{item[0]:06d}{PurePosixPath(item[1].key).suffix}", progress
                    ),
                    enumerate(unique),
                )
            )
        finally:
            pool.shutdown(cancel_futures=True)
        return replace(exchange, files={ref.key: path for ref, path in zip(unique, paths, strict=True)})

    def _fetch(self, ref: ObjectRef, path: Path, progress: "_Sum") -> Path:
        try:
            in_place = self._store.local_path(ref.key)
            if in_place is not None:
                digest = digest_file(in_place, self._store.part_size)
                progress.add(digest.size)
                path, sha256, size = in_place, digest.sha256, digest.size
            else:
                sha256 = self._store.fetch(ref.key, path, on_bytes=progress.add)
                size = path.stat().st_size
        except (NotFound, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise IntegrityError(
                f"{self._store.uri(ref.key)} is missing", hint="Restore an older backup: `duckback list` shows them."
            ) from error
        except OSError as error:
            raise StoreError(f"cannot read {self._store.uri(ref.key)}: {error.strerror}") from error
        if (sha256, size) != (ref.sha256, ref.size):
            raise IntegrityError(
                f"{self._store.uri(ref.key)} does not hold the bytes that were backed up",
                hint="Restore an older backup: `duckback list` shows them.",
            )
        return path


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
