"""What each task of the schedule is, in calls of the Python API."""

from pathlib import Path

from duckback.api import Duckback
from duckback.daemon.outcome import Outcome
from duckback.errors import NoSuchBackup
from duckback.logs import logger
from duckback.model.schedule import Task
from duckback.routes import FULL_EXPORT, INCREMENTAL_EXPORT, TEST_RESTORE, VERIFICATION
from duckback.routes.exchange import BackupExchange, VerificationExchange, required, summed

_log = logger()

ROUTE_OF = {
    Task.FULL: FULL_EXPORT.name,
    Task.INCREMENTAL: INCREMENTAL_EXPORT.name,
    Task.VERIFY: VERIFICATION.name,
    Task.TEST_RESTORE: TEST_RESTORE.name,
}


def carry_out(task: Task, duckback: Duckback, database: Path, name: str) -> Outcome:
    """Do a task for a database: its file, and its name in the repository.

    Raises:
        DuckbackError: it failed.
    """
    match task:
        case Task.FULL:
            return _backed_up(duckback.backup(database, scope="full"))
        case Task.INCREMENTAL:
            return _backed_up(duckback.backup(database, scope="incremental"))
        case Task.VERIFY:
            return _verified(duckback, name)
        case Task.TEST_RESTORE:
            return _verdict(TEST_RESTORE.name, [duckback.test_restore()])


def _backed_up(done: BackupExchange) -> Outcome:
    manifest = required(done.committed).manifest
    route = INCREMENTAL_EXPORT if done.parent is not None else FULL_EXPORT
    return Outcome(
        ok=True,
        route=route.name,
        notices=done.notices,
        backup_id=done.backup_id,
        scope=done.backup_scope,
        seconds=sum(done.seconds.values()),
        steps=dict(done.seconds),
        rows=manifest.rows,
        bytes=manifest.bytes_added,
        objects=done.uploaded_file_count,
    )


def _verified(duckback: Duckback, name: str) -> Outcome:
    """Verify what has no good verification yet, the oldest first."""
    runs: list[VerificationExchange] = []
    for backup_id in duckback.health.past(name).unverified:
        try:
            runs.append(duckback.verify(str(backup_id)))
        except NoSuchBackup:
            _log.info("backup was pruned before its verification", backup_id=str(backup_id))
    return _verdict(VERIFICATION.name, runs)


def _verdict(route: str, runs: list[VerificationExchange]) -> Outcome:
    results = [one for run in runs for one in run.results]
    bad = [one for one in results if not one.is_good]
    problems = [f"{one.backup_id}: {problem.object or ''} {problem.what}" for one in bad for problem in one.problems]
    return Outcome(
        ok=not bad,
        route=route,
        error="IntegrityError" if bad else None,
        message=f"backups that are not as they were committed: {'; '.join(problems[:5])}" if bad else "",
        hint="`duckback verify` names every object; restore another backup, and look who changed these." if bad else "",
        notices=tuple(notice for run in runs for notice in run.notices),
        seconds=sum(one.seconds for one in results) or sum(sum(run.seconds.values()) for run in runs),
        steps=summed(runs),
        good=len(results) - len(bad),
        bad=len(bad),
    )
