"""fetch-objects: every object of the backup as a local file whose bytes are those that were backed up."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from duckback.errors import DamagedObject, IntegrityError, StoreError
from duckback.model.damage import label_of, newest_good
from duckback.model.manifest import Manifest
from duckback.model.progress import Report
from duckback.repository.objects import ObjectFiles
from duckback.repository.repository import Repository
from duckback.routes.byte_count import ByteCount
from duckback.routes.exchange import RestoreExchange, required


class FetchObjects:
    """Takes local copies, reads objects of a local store where they lie, and fetches others.

    Args:
        repository: is asked where else the tables of a damaged object are.
        files: gets them.
        report: hears how many bytes are there.
    """

    name = "fetch-objects"

    def __init__(self, repository: Repository, files: ObjectFiles, report: Report) -> None:
        self._repository = repository
        self._files = files
        self._report = report

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        folder = required(exchange.staging).path / "objects"
        progress = ByteCount(self._report, self.name, exchange.manifest.size_bytes)
        try:
            return replace(exchange, files=self._files.get(exchange.manifest.objects, folder, progress.add))
        except DamagedObject as error:
            error.hint = self._what_is_left(exchange, error) or error.hint
            raise

    def _what_is_left(self, exchange: RestoreExchange, error: DamagedObject) -> str:
        """The newest backup without the damaged object, for each table that it was part of."""
        try:
            manifests = [one.manifest for one in self._repository.backups(exchange.database)]
        except (IntegrityError, StoreError):
            return ""
        tables = [table for table in exchange.manifest.tables if any(ref.key == error.key for ref in table.refs)]
        damaged = {error.key: {label_of(table) for table in tables}}
        return " ".join(_advice(exchange.manifest, label_of(table), manifests, damaged) for table in tables)


def _advice(manifest: Manifest, label: str, manifests: Sequence[Manifest], damaged: Mapping[str, set[str]]) -> str:
    without = f"leave it out with --exclude {shlex.quote(label)}"
    good = newest_good(label, manifests, damaged, {})
    if good is None:
        return f"No backup is left in which table {label} is good; {without}."
    which = "an older" if good < manifest.backup_id else "a newer"
    return f"Restore {which} backup, in which table {label} is not known to be damaged: --backup {good}; or {without}."
