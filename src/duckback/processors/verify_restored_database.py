"""verify-restored-database: the new file is opened again and proven; only then does it take the target's name."""

from dataclasses import replace
from pathlib import Path

from duckback.interrupts import undisturbed
from duckback.model.progress import Report
from duckback.routes.exchange import RestoreExchange, required
from duckback.source.child import run_job
from duckback.source.deferred_file import write_deferred
from duckback.source.examined import Examined
from duckback.source.install import install
from duckback.source.jobs import ExamineDatabase, InstallDatabase
from duckback.source.resources import Limits


class VerifyRestoredDatabase:
    """Compares catalogue and rows with the manifest, then installs the file."""

    name = "verify-restored-database"

    def __init__(self, limits: Limits, report: Report) -> None:
        self._limits = limits
        self._report = report

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        new_file = required(exchange.scratch).path / exchange.target.name
        job = ExamineDatabase(
            manifest=exchange.manifest,
            files=dict(exchange.files),
            target=new_file,
            deferred=exchange.deferred,
            where=exchange.where,
            resources=self._limits.at(required(exchange.staging).path / "spill"),
        )
        found = Examined.model_validate_json(run_job(job, self._report))
        # Cut in half, an install under --force leaves no database under the target's name until the next restore.
        with undisturbed():
            kept_as = self._install(exchange, new_file)
            written = write_deferred(exchange.target, exchange.deferred)
        notices = (*exchange.notices, *found.notices)
        done = replace(exchange, status="completed", notices=notices, kept_as=kept_as, deferred_sql=written)
        return replace(done, rows=found.rows)

    def _install(self, exchange: RestoreExchange, new_file: Path) -> Path | None:
        if not exchange.force:
            return install(new_file, exchange.target, exchange.run_id, force=False)
        job = InstallDatabase(
            new_file=new_file,
            target=exchange.target,
            run_id=exchange.run_id,
        )
        kept_as = run_job(job, self._report)
        return Path(kept_as) if kept_as else None
