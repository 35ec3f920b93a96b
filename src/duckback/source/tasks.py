"""How the jobs are done, in a child process."""

from functools import singledispatch
from typing import Any

from duckback.model.catalog import Sequence
from duckback.model.export import Export
from duckback.model.manifest import FileIdentity
from duckback.model.progress import Progress
from duckback.source.comparing import CHANGES, compare_rows
from duckback.source.engine import attach, connect, leave_room, name_in_sql
from duckback.source.export import export_snapshot
from duckback.source.image.look import look, look_as_json
from duckback.source.image.take import take_image
from duckback.source.image.taken import Image
from duckback.source.install import install
from duckback.source.jobs import (
    DEFERRED,
    BuildDatabase,
    Caller,
    CompareRows,
    ExamineDatabase,
    ExportFile,
    ExportImage,
    InstallDatabase,
    Job,
    LookAtFile,
    ProveFiles,
    QueryBackup,
    ReadRows,
    TakeImage,
    WriteScript,
)
from duckback.source.load import build_database, examine_database
from duckback.source.proof import prove_files
from duckback.source.query import query_backup
from duckback.source.reading import read_rows
from duckback.source.resources import Resources
from duckback.source.script import script_of
from duckback.source.sequences import at_their_positions, refuse_unless_told


@singledispatch
def perform(job: Job, caller: Caller) -> str:
    """Do a job, and return its answer as text.

    Args:
        job: any of `duckback.source.jobs`.
        caller: who sent it.

    Raises:
        DuckbackError: as the job's work does.
    """
    raise NotImplementedError(f"{type(job).__name__} for {caller}")


@perform.register
def _export_file(job: ExportFile, caller: Caller) -> str:
    # Before DuckDB has it open: to close a file is to drop every lock that this process has on it.
    identity = job.image.file if job.image else FileIdentity(**look(job.database))
    path = job.image.path if job.image else job.database
    resources = _resources(job, caller)
    with connect(resources) as con:
        if job.order.base is not None:
            leave_room(con)
        attach(con, path, name_in_sql(job.database.name), "READ_ONLY", subject=job.database)
        export = export_snapshot(con, job.order, caller.report, caller.fetch, subject=job.database)
    sequences = _sequences(job, export)
    proven = prove_files(export, job.order.staging, resources=resources, report=caller.report)
    catalog = export.catalog.model_copy(update={"sequences": sequences})
    seen: dict[str, Any] = {"file": identity, "catalog": catalog}
    if job.image:
        seen |= {"snapshot_at": job.image.snapshot_at, "notices": (*job.image.notices, *export.notices)}
    return proven.model_copy(update=seen).model_dump_json()


def _resources(job: ExportFile, caller: Caller) -> Resources:
    # Not before the image is there: the longer that takes, the likelier it is disturbed.
    if job.image is None or not job.image.has_writer:
        return job.order.resources
    caller.stand_back()
    return job.order.resources.standing_back()


def _sequences(job: ExportFile, export: Export) -> tuple[Sequence, ...]:
    found = export.catalog.sequences
    if job.image:
        return at_their_positions(job.image.path, found, job.order.resources, subject=job.database)
    wal = job.database.with_name(f"{job.database.name}.wal")
    if wal.exists() and wal.stat().st_size:
        refuse_unless_told(found, export.engine)
    return found


@perform.register
def _take_image(job: TakeImage, caller: Caller) -> str:
    caller.report(Progress("capture"))
    return _taken(job).model_dump_json()


def _taken(job: TakeImage) -> Image:
    return take_image(job.database, job.directory, seconds=job.seconds, allow_network=job.allow_network)


@perform.register
def _export_image(job: ExportImage, caller: Caller) -> str:
    return perform(ExportFile(database=job.image.database, image=_taken(job.image), order=job.order), caller)


@perform.register
def _look_at_file(job: LookAtFile, caller: Caller) -> str:
    caller.report(Progress("look"))
    return look_as_json(job.database)


@perform.register
def _prove_files(job: ProveFiles, caller: Caller) -> str:
    # The application is the very process that has sent this.
    caller.stand_back()
    resources = job.resources.standing_back()
    return prove_files(job.export, job.staging, resources=resources, report=caller.report).model_dump_json()


@perform.register
def _build_database(job: BuildDatabase, caller: Caller) -> str:
    deferred = build_database(
        job.manifest,
        job.files,
        job.target,
        storage_version=job.storage_version,
        trust_ddl=job.trust_ddl,
        where=job.where,
        resources=job.resources,
        report=caller.report,
    )
    return DEFERRED.dump_json(tuple(deferred)).decode()


@perform.register
def _examine_database(job: ExamineDatabase, caller: Caller) -> str:
    return examine_database(
        job.target,
        job.manifest,
        job.files,
        job.deferred,
        resources=job.resources,
        report=caller.report,
        where=job.where,
    ).model_dump_json()


@perform.register
def _read_rows(job: ReadRows, caller: Caller) -> str:
    return read_rows(job.manifest, job.files, resources=job.resources, report=caller.report).model_dump_json()


@perform.register
def _query_backup(job: QueryBackup, caller: Caller) -> str:
    return query_backup(job, caller).model_dump_json()


@perform.register
def _compare_rows(job: CompareRows, caller: Caller) -> str:
    found = compare_rows(job.before, job.now, job.files, resources=job.resources, report=caller.report)
    return CHANGES.dump_json(found).decode()


@perform.register
def _write_script(job: WriteScript, _caller: Caller) -> str:
    return script_of(job.manifest, job.places, job.resources)


@perform.register
def _install_database(job: InstallDatabase, caller: Caller) -> str:
    caller.report(Progress("verify-restored-database"))
    return str(install(job.new_file, job.target, job.run_id, force=True) or "")
