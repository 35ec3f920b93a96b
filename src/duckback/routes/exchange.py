"""The exchange: the typed state that processors hand on. A processor returns a changed copy, never the same one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar
from uuid import UUID

from duckback.errors import DuckbackError
from duckback.model.catalog import Deferred
from duckback.model.damage import Damage
from duckback.model.export import Export
from duckback.model.manifest import Manifest
from duckback.model.proof import Compared, Level, Problem, Result
from duckback.model.selection import EVERYTHING, Selection
from duckback.repository.cleanup import Cleaned
from duckback.repository.repository import Committed
from duckback.routes.deadline import Deadline
from duckback.source.capture import Capture
from duckback.source.scratch import Scratch

Status = Literal["started", "exported", "uploaded", "completed", "failed"]
Scope = Literal["full", "incremental"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Common to every route.

    Attributes:
        start_time: of the run, UTC.
        error: what failed it, None unless the status is "failed"; `error_message` is its text.
        notices: what the user should hear though nothing failed.
        seconds: how long each processor took, by name.
        staging: the run's private directory, once there is one.
    """

    database: str
    start_time: datetime
    status: Status = "started"
    error: BaseException | None = None
    error_message: str | None = None
    notices: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    staging: Scratch | None = None

    @property
    def scratches(self) -> tuple[Scratch, ...]:
        """The run's private directories."""
        return (self.staging,) if self.staging is not None else ()


@dataclass(frozen=True, kw_only=True)
class BackupExchange(Exchange):
    """One backup under way.

    Attributes:
        selection: what of the database.
        backup_path: the directory with the Parquet files, from the export on.
        backup_size_bytes: of the uploaded objects.
        compression_ratio: bytes before compression by bytes in the files.
        s3_uris: the addresses of the uploaded objects.
        backup_event_id: the completed event in the ledger.
        parent: what an incremental is the difference to.
        gone: backups that had been deleted before the parent's objects were looked at.
        full_because: why it is a full where an incremental was due.
        cleaned: what the clean-up did.
    """

    backup_id: UUID
    backup_type: Literal["duckdb"] = "duckdb"
    backup_scope: Scope
    retention: timedelta
    selection: Selection = EVERYTHING
    capture: Capture
    backup_path: Path | None = None
    export: Export | None = None
    compression_ratio: float | None = None
    backup_size_bytes: int = 0
    uploaded_file_count: int = 0
    s3_uris: tuple[str, ...] = ()
    committed: Committed | None = None
    backup_event_id: UUID | None = None
    parent: Committed | None = None
    gone: frozenset[UUID] = frozenset()
    cleaned: Cleaned | None = None
    full_because: str | None = None

    @property
    def last_backup_time(self) -> datetime | None:
        """The moment that the parent shows."""
        return self.parent.manifest.snapshot_at if self.parent is not None else None

    def exported(self, export: Export, folder: Path) -> "BackupExchange":
        """The exchange after an export whose files are in the folder."""
        left_out = (f"left out of the backup: {what}" for what in export.left_out)
        heard = (*self.notices, *export.notices, *left_out)
        return replace(self, status="exported", backup_path=folder, export=export, notices=heard)


@dataclass(frozen=True, kw_only=True)
class CleanupExchange(Exchange):
    """One clean-up under way; `cleaned` is what it did."""

    cleaned: Cleaned | None = None


@dataclass(frozen=True, kw_only=True)
class RestoreExchange(Exchange):
    """One restore under way.

    Attributes:
        wanted: a backup's id, or None for the newest one.
        at: no backup that shows a later moment than this, if given.
        target: the file to restore to.
        force: move what is there out of the way.
        files: each object's key → the local file with its bytes.
        storage_version: of the new file; None: the source's.
        selection: what of the backup.
        where: of the selected tables, only the rows for which this condition holds; None: all.
        trust_ddl: run definitions that read files or the network too.
        trust_repository: though a ledger or a proof contradicts it.
        selected: the manifest, narrowed to the selection.
        scratch: the private directory beside the target, in which the new file is made.
        kept_as: where an existing target was moved.
        deferred: what could not be created.
        deferred_sql: where its text is.
        rows: of the restored tables, once they are proven.
    """

    run_id: UUID
    wanted: UUID | None
    at: datetime | None
    target: Path
    force: bool
    storage_version: str | None
    selection: Selection = EVERYTHING
    where: str | None = None
    trust_ddl: bool = False
    trust_repository: bool = False
    committed: Committed | None = None
    selected: Manifest | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    scratch: Scratch | None = None
    kept_as: Path | None = None
    deferred: tuple[Deferred, ...] = ()
    deferred_sql: Path | None = None
    rows: int = 0

    @property
    def scratches(self) -> tuple[Scratch, ...]:
        """The run's private directories, the one beside the target first: it may lie in the other."""
        return (*((self.scratch,) if self.scratch is not None else ()), *super().scratches)

    @property
    def manifest(self) -> Manifest:
        """Of the backup, narrowed to what was asked for."""
        return required(self.selected)

    @property
    def is_partial(self) -> bool:
        """Whether something failed that reads neither files nor the network."""
        return any(not item.is_external for item in self.deferred)


@dataclass(frozen=True)
class Verified:
    """The result of verifying one backup.

    Attributes:
        committed: None where its manifest cannot be read, or is not there.
        seconds: what it took.
        compared: what of the rows was compared; None where none were.
    """

    backup_id: UUID
    committed: Committed | None
    problems: tuple[Problem, ...]
    seconds: float = 0.0
    compared: Compared | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def word(self) -> Result:
        """`good` or `bad`."""
        return "good" if self.is_good else "bad"


@dataclass(frozen=True, kw_only=True)
class ProvingExchange(Exchange):
    """A run that says of backups whether they are good.

    Attributes:
        level: how deeply it looks.
        results: of the backups that were reached.
        is_recorded: whether they are on record.
        cut_short: what kept the run from reaching the others; raised once the results are on record.
    """

    run_id: UUID
    level: Level
    results: tuple[Verified, ...] = ()
    is_recorded: bool = False
    cut_short: DuckbackError | None = None


@dataclass(frozen=True, kw_only=True)
class TestRestoreExchange(RestoreExchange, ProvingExchange):
    """A restore into the run's own staging directory, of which nothing stays but the result."""

    __test__ = False  # its name does not make it one of pytest's

    level: Level = "restore"
    deadline: Deadline = field(default_factory=lambda: Deadline(None))


@dataclass(frozen=True, kw_only=True)
class VerificationExchange(ProvingExchange):
    """One verification run.

    Attributes:
        wanted: a backup's id, or None for all.
        deadline: the end of its time.
        not_reached: those that were not, because the time was up.
        damage: which backups each damaged object concerns, and what is left of its table.
    """

    wanted: UUID | None
    deadline: Deadline = field(default_factory=lambda: Deadline(None))
    not_reached: tuple[UUID, ...] = ()
    damage: tuple[Damage, ...] = ()


def required(value: T | None) -> T:
    """What an earlier processor of the route has put into the exchange."""
    if value is None:
        raise AssertionError("the route runs this processor before the one that provides what it needs")
    return value


def summed(runs: Iterable[Exchange]) -> dict[str, float]:
    """How long each processor took in all of these runs, in seconds."""
    total: dict[str, float] = {}
    for run in runs:
        for name, seconds in run.seconds.items():
            total[name] = total.get(name, 0.0) + seconds
    return total
