"""What a child process can be asked to do; each job is data, so that it can be sent."""

from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from duckback.model.export import Export
from duckback.model.manifest import FileIdentity, Manifest
from duckback.model.progress import Progress, Report
from duckback.source.engine import Resources, attach, connect
from duckback.source.export import export_snapshot
from duckback.source.install import install
from duckback.source.load import build_database, examine_database
from duckback.source.proof import prove_files

_NAME = "source"


class Job(BaseModel):
    """Common to all: what DuckDB may use in the child."""

    model_config = ConfigDict(frozen=True)

    memory_limit: str
    threads: int
    spill: Path

    @property
    def resources(self) -> Resources:
        """The limits as the engine takes them."""
        return Resources(self.memory_limit, self.threads, self.spill)


class ExportFile(Job):
    """Open a database file read-only, export it, read the files again."""

    task: Literal["export"] = "export"
    database: Path
    staging: Path
    label: str

    def run(self, report: Report) -> str:
        """Returns the proven Export as JSON."""
        identity = file_identity(self.database)
        with connect(self.resources) as con:
            attach(con, self.database, _NAME, "READ_ONLY")
            export = export_snapshot(con, self.staging, label=self.label, resources=self.resources, report=report)
        proven = prove_files(export, self.staging, resources=self.resources, report=report)
        return proven.model_copy(update={"file": identity}).model_dump_json()


class ProveFiles(Job):
    """Read the files of an export again."""

    task: Literal["prove"] = "prove"
    export: Export
    staging: Path

    def run(self, report: Report) -> str:
        """Returns the proven Export as JSON."""
        return prove_files(self.export, self.staging, resources=self.resources, report=report).model_dump_json()


class BuildDatabase(Job):
    """Make a database file from a manifest and its objects' files."""

    task: Literal["build"] = "build"
    manifest: Manifest
    files: dict[str, Path]
    target: Path
    storage_version: str | None

    def run(self, report: Report) -> str:
        """Returns nothing but that it is done."""
        build_database(
            self.manifest,
            self.files,
            self.target,
            storage_version=self.storage_version,
            resources=self.resources,
            report=report,
        )
        return ""


class ExamineDatabase(Job):
    """Compare a restored file with the manifest."""

    task: Literal["examine"] = "examine"
    manifest: Manifest
    files: dict[str, Path]
    target: Path

    def run(self, report: Report) -> str:
        """Returns nothing but that all is right."""
        examine_database(self.target, self.manifest, self.files, resources=self.resources, report=report)
        return ""


class InstallDatabase(Job):
    """Give a proven file the target's name, what is there moved aside.

    In a child, because the lock that it takes on the old file would cost a caller that has it open its own lock.
    """

    task: Literal["install"] = "install"
    new_file: Path
    target: Path
    run_id: UUID

    def run(self, report: Report) -> str:
        """Returns where the old database is now, empty if there was none."""
        report(Progress("verify-restored-database"))
        return str(install(self.new_file, self.target, self.run_id, force=True) or "")


AnyJob = Annotated[
    ExportFile | ProveFiles | BuildDatabase | ExamineDatabase | InstallDatabase, Field(discriminator="task")
]


def file_identity(path: Path) -> FileIdentity:
    """Which file this is, and when it last changed (stat alone: the file is not opened)."""
    status = path.stat()
    return FileIdentity(
        path=str(path.absolute()),
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
    )
