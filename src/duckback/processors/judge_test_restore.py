"""judge-test-restore: what a test restore says of its backup, and whether it was quick enough."""

from dataclasses import replace

from duckback.errors import DamagedObject, IntegrityError, SourceDamaged
from duckback.model.damage import label_of
from duckback.model.proof import RTO, Problem
from duckback.repository.stones import tombstoned
from duckback.routes.exchange import TestRestoreExchange, Verified, required
from duckback.store.base import Store


class JudgeTestRestore:
    """Runs whatever the outcome: a restore that fails for what is stored is a result, any other failure is none.

    Nor is it one that the backup began to be pruned meanwhile, and lacks objects.

    Args:
        store: the repository's.
    """

    name = "judge-test-restore"

    def __init__(self, store: Store) -> None:
        self._store = store

    def process(self, exchange: TestRestoreExchange) -> TestRestoreExchange:
        if exchange.status != "completed" and not isinstance(exchange.error, IntegrityError | SourceDamaged):
            return exchange
        backup_id = required(exchange.wanted)
        if exchange.error is not None and backup_id in tombstoned(self._store, exchange.database):
            return exchange
        seconds = sum(exchange.seconds.values())
        problems = tuple(_problems(exchange))
        result = Verified(backup_id, exchange.committed, problems, seconds, None if problems else "fingerprints")
        return replace(exchange, results=(result,), notices=(*exchange.notices, *_notices(exchange, seconds)))


def _problems(exchange: TestRestoreExchange) -> list[Problem]:
    error = exchange.error
    if error is None:
        return []
    if isinstance(error, DamagedObject) and exchange.committed is not None:
        tables = [
            label_of(table)
            for table in exchange.committed.manifest.tables
            if any(ref.key == error.key for ref in table.refs)
        ]
        return [Problem(object=error.key, table=table, what=error.problem) for table in tables]
    return [Problem(object=None, table=None, what=str(error))]


def _notices(exchange: TestRestoreExchange, seconds: float) -> list[str]:
    slow = [f"the test restore took {seconds:.0f} s, and a database is to be back in {RTO.total_seconds():.0f} s"]
    kept = [f"{item.kind} {item.label} would not come back by itself: {item.reason}" for item in exchange.deferred]
    return [*(slow if seconds > RTO.total_seconds() else []), *kept]
