"""What a child process can be asked to do; each job is data, so that it can be sent.

How it is done is in `duckback.source.tasks`, which needs DuckDB: whoever sends a job does not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, TypeAdapter

from duckback.model.catalog import Deferred
from duckback.model.export import Export
from duckback.model.manifest import Manifest
from duckback.model.progress import Report
from duckback.source.image.names import LOG_SUFFIXES
from duckback.source.image.taken import Image
from duckback.source.order import ExportOrder, Fetch, nothing_to_fetch
from duckback.source.outcome import Form
from duckback.source.resources import Resources
from duckback.store.s3_options import S3Options

DEFERRED: TypeAdapter[tuple[Deferred, ...]] = TypeAdapter(tuple[Deferred, ...])
"""What BuildDatabase answers."""


@dataclass(frozen=True)
class Caller:
    """Whoever sent a job: hears how far it is, fetches objects, and from when on an application is to be spared."""

    report: Report
    fetch: Fetch = nothing_to_fetch
    stand_back: Callable[[], None] = lambda: None


class Job(BaseModel):
    """One thing to do; `task` tells which."""

    # A process sends or runs one or two of them, and to build a validator takes longer than to use it.
    model_config = ConfigDict(frozen=True, defer_build=True)

    task: ClassVar[str]

    @property
    def time_limit(self) -> float | None:
        """Seconds after which its process is ended; None: never."""
        return None

    @property
    def least_share(self) -> float:
        """Of the time that its process may run, once it has asked to stand back; 1: all of it."""
        return 1.0

    @property
    def confined_to(self) -> Resources | None:
        """Beyond which, and what DuckDB does not count, its process gets no memory; None: as much as there is."""
        return None

    @property
    def again(self) -> "Job | None":
        """What to do once more where a process of it has crashed, before that says anything; None: nothing."""
        return None

    @property
    def leavings(self) -> tuple[Path, ...]:
        """Files that such a process may have left, and that are in the way."""
        return ()


class DuckDBJob(Job):
    """Common to most: what DuckDB may use in the child."""

    resources: Resources

    @property
    def time_limit(self) -> float | None:
        return self.resources.seconds

    @property
    def least_share(self) -> float:
        return self.resources.least_share


class WaryJob(DuckDBJob):
    """What reads the manifests and objects of a repository, which somebody may have forged."""

    @property
    def confined_to(self) -> Resources | None:
        return self.resources

    @property
    def again(self) -> Job | None:
        """The same in one thread: with many, it may have crashed for want of memory, and not for what it read."""
        if self.resources.threads == 1:
            return None
        spill = self.resources.spill
        alone = replace(self.resources, threads=1, spill=spill.with_name(f"{spill.name}-again"))
        return self.model_copy(update={"resources": alone})


class ExportJob(Job):
    """Common to those that write a database as Parquet.

    Attributes:
        order: what of it to write, and where to.
    """

    order: ExportOrder

    @property
    def least_share(self) -> float:
        return self.order.resources.least_share


class ExportFile(ExportJob):
    """Open a database file read-only, export it, read the files again; answers the proven Export as JSON.

    Attributes:
        database: the file itself, or what `image` is an image of.
    """

    task = "export"
    database: Path
    image: Image | None = None


class TakeImage(Job):
    """Make a consistent private copy of a file that another process may have open; answers the Image as JSON.

    In a child, because closing the file here would drop the lock of a caller that has it open.
    """

    task = "image"
    database: Path
    directory: Path
    seconds: float
    allow_network: bool = False


class ExportImage(ExportJob):
    """Make an image and export it, in one child; answers the proven Export as JSON."""

    task = "export-image"
    image: TakeImage


class LookAtFile(Job):
    """Identify a database file and its state; answers the FileIdentity as JSON."""

    task = "look"
    database: Path


class ProveFiles(DuckDBJob):
    """Read the files of an export again; answers the proven Export as JSON."""

    task = "prove"
    export: Export
    staging: Path


class BuildDatabase(WaryJob):
    """Make a database file from a manifest and its objects' files; answers what could not be made, as JSON."""

    task = "build"
    manifest: Manifest
    files: dict[str, Path]
    target: Path
    storage_version: str | None
    trust_ddl: bool
    where: str | None = None

    @property
    def leavings(self) -> tuple[Path, ...]:
        return tuple(self.target.with_name(f"{self.target.name}{suffix}") for suffix in ("", *LOG_SUFFIXES))


class ExamineDatabase(WaryJob):
    """Compare a restored file with the manifest; answers Examined as JSON; all else is right."""

    task = "examine"
    manifest: Manifest
    files: dict[str, Path]
    target: Path
    deferred: tuple[Deferred, ...]
    where: str | None = None


class ReadRows(WaryJob):
    """Read the rows of a backup from its objects alone; answers the RowsRead as JSON."""

    task = "read"
    manifest: Manifest
    files: dict[str, Path]


class StoreAddress(BaseModel):
    """Where a store is, for a child that reads from it itself; credentials come from its environment."""

    model_config = ConfigDict(frozen=True)

    url: str
    s3: S3Options


class QueryBackup(WaryJob):
    """Ask a backup in place, and write the answer into a file; answers its Outcome as JSON.

    Attributes:
        manifest: of the backup.
        sql: one SELECT.
        form: of the file.
        answer: the file; whatever else is in its directory may be read too.
        local: the files of the objects, where the store has such; else it is read by ranges.
        store: the store.
    """

    task = "query"
    manifest: Manifest
    sql: str
    form: Form
    answer: Path
    local: dict[str, Path]
    store: StoreAddress

    @property
    def leavings(self) -> tuple[Path, ...]:
        return (self.answer,)


class CompareRows(WaryJob):
    """Compare the rows of tables in two backups; answers what changed, as JSON of `duckback.source.comparing`."""

    task = "compare"
    before: Manifest
    now: Manifest
    files: dict[str, Path]


class WriteScript(WaryJob):
    """Write the statements with which a plain DuckDB opens a backup; answers the text.

    Attributes:
        manifest: of the backup.
        places: each object's key → the address at which that DuckDB finds it.
    """

    task = "script"
    manifest: Manifest
    places: dict[str, str]


class InstallDatabase(Job):
    """Give a proven file the target's name, what is there moved aside.

    Answers where the old database is now, nothing if there was none. In a child, because the lock that it takes on
    the old file would cost a caller that has it open its own lock.
    """

    task = "install"
    new_file: Path
    target: Path
    run_id: UUID


JOBS: dict[str, type[Job]] = {
    job.task: job
    for job in (
        BuildDatabase,
        CompareRows,
        ExamineDatabase,
        ExportFile,
        ExportImage,
        InstallDatabase,
        LookAtFile,
        ProveFiles,
        QueryBackup,
        ReadRows,
        TakeImage,
        WriteScript,
    )
}
"""Every job by its task."""
