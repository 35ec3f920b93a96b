"""restore-duckdb-from-parquet: a new database file, made beside the target in a directory of its own."""

from dataclasses import replace

from duckback.model.progress import Report
from duckback.routes.exchange import RestoreExchange, required
from duckback.source.child import run_job
from duckback.source.install import work_directory
from duckback.source.jobs import DEFERRED, BuildDatabase
from duckback.source.resources import Limits


class RestoreDuckdbFromParquet:
    """Builds the file in a child process that can reach nothing but the objects' files."""

    name = "restore-duckdb-from-parquet"

    def __init__(self, limits: Limits, report: Report) -> None:
        self._limits = limits
        self._report = report

    def process(self, exchange: RestoreExchange) -> RestoreExchange:
        scratch = work_directory(exchange.target, exchange.run_id)
        job = BuildDatabase(
            manifest=exchange.manifest,
            files=dict(exchange.files),
            target=scratch.path / exchange.target.name,
            storage_version=exchange.storage_version,
            trust_ddl=exchange.trust_ddl,
            where=exchange.where,
            resources=self._limits.at(required(exchange.staging).path / "spill"),
        )
        try:
            deferred = DEFERRED.validate_json(run_job(job, self._report))
        except BaseException:
            scratch.remove()
            raise
        return replace(exchange, scratch=scratch, deferred=deferred)
