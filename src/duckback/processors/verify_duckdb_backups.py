"""verify-duckdb-backups: is every manifest sound, and does the store hold every object that it lists?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

from duckback.errors import IntegrityError
from duckback.model.manifest import ObjectRef, TableBackup
from duckback.model.progress import Progress, Report
from duckback.repository.probe import problem_with
from duckback.repository.repository import Repository
from duckback.routes.exchange import Problem, VerificationExchange, Verified

_CHECKS = 4


class VerifyDuckdbBackups:
    """Level `objects`: manifests parse strictly; objects are there with size and SHA-256 as the store answers."""

    name = "verify-duckdb-backups"

    def __init__(self, repository: Repository, report: Report) -> None:
        self._repository = repository
        self._report = report

    def process(self, exchange: VerificationExchange) -> VerificationExchange:
        wanted = exchange.wanted
        backup_ids = self._repository.backup_ids(exchange.database) if wanted is None else [wanted]
        results = tuple(self._verify(exchange.database, backup_id) for backup_id in backup_ids)
        return replace(exchange, status="completed", results=results)

    def _verify(self, database: str, backup_id: UUID) -> Verified:
        try:
            committed = self._repository.read(database, backup_id)
        except IntegrityError as error:
            return Verified(backup_id, None, (Problem(None, None, error.message),))
        total = committed.manifest.size_bytes
        done = 0
        problems: list[Problem] = []
        items = [(ref, table) for table in committed.manifest.tables for ref in table.refs]
        with ThreadPoolExecutor(_CHECKS) as pool:
            store = self._repository.store
            probed = pool.map(lambda item: problem_with(store, item[0]), items)
            for (ref, table), found in zip(items, probed, strict=True):
                problems += _problems(ref, table, found)
                done += ref.size
                self._report(Progress(self.name, bytes_done=done, bytes_total=total))
        return Verified(backup_id, committed, tuple(problems))


def _problems(ref: ObjectRef, table: TableBackup, wrong: str | None) -> Iterator[Problem]:
    if wrong is not None:
        yield Problem(ref.key, f"{table.schema_name}.{table.name}", wrong)
