"""What a child process can be asked to do; each job is data, so that it can be sent."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from duckback.model.export import Export
from duckback.model.manifest import Manifest
from duckback.model.progress import Progress, Report
from duckback.source.engine import Resources, attach, connect
from duckback.source.export import export_snapshot
from duckback.source.image.look import look
from duckback.source.image.take import take_image
from duckback.source.image.taken import Image
from duckback.source.install import install
from duckback.source.load import build_database, examine_database
from duckback.source.proof import prove_files

_NAME = "source"


class Job(BaseModel, ABC):
    """One thing to do; `task` tells which."""

    model_config = ConfigDict(frozen=True)

    @abstractmethod
    def run(self, report: Report) -> str:
        """Do it, and return the result as text."""


class DuckDBJob(Job):
    """Common to most: what DuckDB may use in the child."""

    resources: Resources


class ExportFile(DuckDBJob):
    """Open a database file read-only, export it, read the files again.

    Attributes:
        database: the file itself, or what `image` is an image of.
    """

    task: Literal["export"] = "export"
    database: Path
    image: Image | None = None
    staging: Path
    label: str

    def run(self, report: Report) -> str:
        """Returns the proven Export as JSON."""
        # Before DuckDB has it open: to close a file is to drop every lock that this process has on it.
        identity = self.image.file if self.image else look(self.database)
        path = self.image.path if self.image else self.database
        with connect(self.resources) as con:
            attach(con, path, _NAME, "READ_ONLY", subject=self.database)
            export = export_snapshot(
                con,
                self.staging,
                label=self.label,
                resources=self.resources,
                report=report,
                subject=self.database,
            )
        proven = prove_files(export, self.staging, resources=self.resources, report=report)
        seen: dict[str, Any] = {"file": identity}
        if self.image:
            seen |= {"snapshot_at": self.image.snapshot_at, "notices": self.image.notices}
        return proven.model_copy(update=seen).model_dump_json()


class TakeImage(Job):
    """Make a consistent private copy of a database file that another process may have open.

    In a child, because closing the file here would drop the lock of a caller that has it open.
    """

    task: Literal["image"] = "image"
    database: Path
    directory: Path
    seconds: float
    allow_network: bool = False

    def run(self, report: Report) -> str:
        """Returns the Image as JSON."""
        report(Progress("capture"))
        return self.take().model_dump_json()

    def take(self) -> Image:
        """The image."""
        return take_image(self.database, self.directory, seconds=self.seconds, allow_network=self.allow_network)


class ExportImage(DuckDBJob):
    """Make an image and export it, in one child."""

    task: Literal["export-image"] = "export-image"
    order: TakeImage
    staging: Path
    label: str

    def run(self, report: Report) -> str:
        """Returns the proven Export as JSON."""
        export = ExportFile(
            database=self.order.database,
            image=self.order.take(),
            staging=self.staging,
            label=self.label,
            resources=self.resources,
        )
        return export.run(report)


class LookAtFile(Job):
    """Identify a database file and its state."""

    task: Literal["look"] = "look"
    database: Path

    def run(self, report: Report) -> str:
        """Returns the FileIdentity as JSON."""
        report(Progress("look"))
        return look(self.database).model_dump_json()


class ProveFiles(DuckDBJob):
    """Read the files of an export again."""

    task: Literal["prove"] = "prove"
    export: Export
    staging: Path

    def run(self, report: Report) -> str:
        """Returns the proven Export as JSON."""
        return prove_files(self.export, self.staging, resources=self.resources, report=report).model_dump_json()


class BuildDatabase(DuckDBJob):
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


class ExamineDatabase(DuckDBJob):
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
    BuildDatabase | ExamineDatabase | ExportFile | ExportImage | InstallDatabase | LookAtFile | ProveFiles | TakeImage,
    Field(discriminator="task"),
]
