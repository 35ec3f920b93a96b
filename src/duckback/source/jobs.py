"""What a child process can be asked to do; each job is data, so that it can be sent."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from duckback.model.catalog import Deferred, Sequence
from duckback.model.export import Export
from duckback.model.manifest import Manifest
from duckback.model.progress import Progress, Report
from duckback.source.engine import Resources, attach, connect, name_in_sql
from duckback.source.export import export_snapshot
from duckback.source.image.look import look
from duckback.source.image.take import take_image
from duckback.source.image.taken import Image
from duckback.source.incremental import unless_changed
from duckback.source.install import install
from duckback.source.load import build_database, examine_database
from duckback.source.order import ExportOrder, Fetch, nothing_to_fetch
from duckback.source.proof import prove_files
from duckback.source.reading import read_rows
from duckback.source.sequences import at_their_positions, refuse_unless_told

DEFERRED: TypeAdapter[tuple[Deferred, ...]] = TypeAdapter(tuple[Deferred, ...])
"""What BuildDatabase answers."""

NOTICES: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])
"""What ExamineDatabase answers."""


@dataclass(frozen=True)
class Caller:
    """Whoever sent a job: hears how far it is, and fetches objects that it asks for."""

    report: Report
    fetch: Fetch = nothing_to_fetch


class Job(BaseModel, ABC):
    """One thing to do; `task` tells which."""

    model_config = ConfigDict(frozen=True)

    @abstractmethod
    def run(self, caller: Caller) -> str:
        """Do it, and return the result as text."""

    @property
    def time_limit(self) -> float | None:
        """Seconds after which its process is ended; None: never."""
        return None

    @property
    def memory_limit(self) -> str | None:
        """Beyond which, and what DuckDB does not count, its process gets no memory; None: as much as there is."""
        return None


class DuckDBJob(Job):
    """Common to most: what DuckDB may use in the child."""

    resources: Resources

    @property
    def time_limit(self) -> float | None:
        return self.resources.seconds


class WaryJob(DuckDBJob):
    """What reads the manifests and objects of a repository, which somebody may have forged."""

    @property
    def memory_limit(self) -> str | None:
        return self.resources.memory_limit


class ExportFile(Job):
    """Open a database file read-only, export it, read the files again.

    Attributes:
        database: the file itself, or what `image` is an image of.
        order: what of it to write, and where to.
    """

    task: Literal["export"] = "export"
    database: Path
    image: Image | None = None
    order: ExportOrder

    def run(self, caller: Caller) -> str:
        """Returns the proven Export as JSON."""
        same = None if self.image else unless_changed(self.order, lambda: look(self.database))
        if same is not None:
            return same.model_dump_json()
        # Before DuckDB has it open: to close a file is to drop every lock that this process has on it.
        identity = self.image.file if self.image else look(self.database)
        path = self.image.path if self.image else self.database
        with connect(self.order.resources) as con:
            attach(con, path, name_in_sql(self.database.name), "READ_ONLY", subject=self.database)
            export = export_snapshot(con, self.order, caller.report, caller.fetch, subject=self.database)
        sequences = self._sequences(export)
        proven = prove_files(export, self.order.staging, resources=self.order.resources, report=caller.report)
        catalog = export.catalog.model_copy(update={"sequences": sequences})
        seen: dict[str, Any] = {"file": identity, "catalog": catalog}
        if self.image:
            seen |= {"snapshot_at": self.image.snapshot_at, "notices": (*self.image.notices, *export.notices)}
        return proven.model_copy(update=seen).model_dump_json()

    def _sequences(self, export: Export) -> tuple[Sequence, ...]:
        found = export.catalog.sequences
        if self.image:
            return at_their_positions(self.image.path, found, self.order.resources, subject=self.database)
        wal = self.database.with_name(f"{self.database.name}.wal")
        if wal.exists() and wal.stat().st_size:
            refuse_unless_told(found, export.engine)
        return found


class TakeImage(Job):
    """Make a consistent private copy of a database file that another process may have open.

    In a child, because closing the file here would drop the lock of a caller that has it open.
    """

    task: Literal["image"] = "image"
    database: Path
    directory: Path
    seconds: float
    allow_network: bool = False

    def run(self, caller: Caller) -> str:
        """Returns the Image as JSON."""
        caller.report(Progress("capture"))
        return self.take().model_dump_json()

    def take(self) -> Image:
        """The image."""
        return take_image(self.database, self.directory, seconds=self.seconds, allow_network=self.allow_network)


class ExportImage(Job):
    """Make an image and export it, in one child."""

    task: Literal["export-image"] = "export-image"
    image: TakeImage
    order: ExportOrder

    def run(self, caller: Caller) -> str:
        """Returns the proven Export as JSON."""
        same = unless_changed(self.order, lambda: look(self.image.database))
        if same is not None:
            return same.model_dump_json()
        return ExportFile(database=self.image.database, image=self.image.take(), order=self.order).run(caller)


class LookAtFile(Job):
    """Identify a database file and its state."""

    task: Literal["look"] = "look"
    database: Path

    def run(self, caller: Caller) -> str:
        """Returns the FileIdentity as JSON."""
        caller.report(Progress("look"))
        return look(self.database).model_dump_json()


class ProveFiles(DuckDBJob):
    """Read the files of an export again."""

    task: Literal["prove"] = "prove"
    export: Export
    staging: Path

    def run(self, caller: Caller) -> str:
        """Returns the proven Export as JSON."""
        return prove_files(self.export, self.staging, resources=self.resources, report=caller.report).model_dump_json()


class BuildDatabase(WaryJob):
    """Make a database file from a manifest and its objects' files."""

    task: Literal["build"] = "build"
    manifest: Manifest
    files: dict[str, Path]
    target: Path
    storage_version: str | None
    trust_ddl: bool

    def run(self, caller: Caller) -> str:
        """Returns what could not be made, as JSON."""
        deferred = build_database(
            self.manifest,
            self.files,
            self.target,
            storage_version=self.storage_version,
            trust_ddl=self.trust_ddl,
            resources=self.resources,
            report=caller.report,
        )
        return DEFERRED.dump_json(tuple(deferred)).decode()


class ExamineDatabase(WaryJob):
    """Compare a restored file with the manifest."""

    task: Literal["examine"] = "examine"
    manifest: Manifest
    files: dict[str, Path]
    target: Path
    deferred: tuple[Deferred, ...]

    def run(self, caller: Caller) -> str:
        """Returns what the user should hear, as JSON; all else is right."""
        notices = examine_database(
            self.target, self.manifest, self.files, self.deferred, resources=self.resources, report=caller.report
        )
        return NOTICES.dump_json(tuple(notices)).decode()


class ReadRows(WaryJob):
    """Read the rows of a backup from its objects alone."""

    task: Literal["read"] = "read"
    manifest: Manifest
    files: dict[str, Path]

    def run(self, caller: Caller) -> str:
        """Returns the RowsRead as JSON."""
        return read_rows(self.manifest, self.files, resources=self.resources, report=caller.report).model_dump_json()


class InstallDatabase(Job):
    """Give a proven file the target's name, what is there moved aside.

    In a child, because the lock that it takes on the old file would cost a caller that has it open its own lock.
    """

    task: Literal["install"] = "install"
    new_file: Path
    target: Path
    run_id: UUID

    def run(self, caller: Caller) -> str:
        """Returns where the old database is now, empty if there was none."""
        caller.report(Progress("verify-restored-database"))
        return str(install(self.new_file, self.target, self.run_id, force=True) or "")


AnyJob = Annotated[
    BuildDatabase
    | ExamineDatabase
    | ExportFile
    | ExportImage
    | InstallDatabase
    | LookAtFile
    | ProveFiles
    | ReadRows
    | TakeImage,
    Field(discriminator="task"),
]
