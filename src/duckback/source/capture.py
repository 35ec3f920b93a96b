"""Capture: how a consistent view of a database is had. What is captured can be exported once, and is then released."""

import stat
from pathlib import Path
from typing import Literal, Protocol

import duckdb

from duckback.errors import SourceError, UsageError
from duckback.model.export import Export
from duckback.model.progress import Report
from duckback.source.child import run_job
from duckback.source.engine import Resources, set_session, translated
from duckback.source.export import export_snapshot
from duckback.source.jobs import ExportFile, ProveFiles

CaptureMode = Literal["direct", "connection"]
Connection = duckdb.DuckDBPyConnection


class Capture(Protocol):
    """One way to a consistent view."""

    @property
    def mode(self) -> CaptureMode:
        """Its name in the manifest."""
        ...

    @property
    def default_name(self) -> str | None:
        """What the database is called if nobody names it."""
        ...

    def export(self, staging: Path, *, label: str, resources: Resources, report: Report) -> Export:
        """Take the view and write it to Parquet files in an empty directory, proven.

        Raises:
            SourceError: the database cannot be read.
            Unsupported: it holds something that a backup would change.
            IntegrityError: a written file does not hold the rows that the snapshot had.
        """
        ...

    def release(self) -> None:
        """Let go of the database; safe to call twice, and before any export."""
        ...


class DirectCapture:
    """Opens the file read-only in a child process; writers cannot open it meanwhile."""

    mode: CaptureMode = "direct"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.default_name = path.absolute().stem

    def export(self, staging: Path, *, label: str, resources: Resources, report: Report) -> Export:
        _refuse_unless_file(self._path)
        job = ExportFile(
            database=self._path.absolute(),
            staging=staging,
            label=label,
            memory_limit=resources.memory_limit,
            threads=resources.threads,
            spill=resources.spill,
        )
        return Export.model_validate_json(run_job(job, report))

    def release(self) -> None:
        """Nothing to let go of: the child that had the file open has ended."""


def _refuse_unless_file(path: Path) -> None:
    # By stat alone: to open the file and close it again would cost a caller that has it open its lock.
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise SourceError(f"there is no database file {path}", hint="Check the path.") from error
    except OSError as error:
        raise SourceError(f"cannot look at {path}: {error.strerror}", hint="Check the path.") from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is not a file", hint="Give the path of the database file itself.")


class ConnectionCapture:
    """Reads through a cursor of the caller's connection, in one transaction that is rolled back.

    The caller's connection, its transaction and its settings stay as they are, and the file is not opened again:
    closing it would drop the caller's lock on it. While the snapshot is open DuckDB cannot checkpoint over updates
    and deletes, so its WAL grows for as long as the export takes.
    """

    mode: CaptureMode = "connection"

    def __init__(self, connection: Connection) -> None:
        with translated("the given connection"):
            self._cursor: Connection | None = connection.cursor()

    @property
    def default_name(self) -> str | None:
        query = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
        with translated("the given connection"):
            (path,) = self._open_cursor().execute(query).fetchall()[0]
        return Path(path).stem if path else None

    def export(self, staging: Path, *, label: str, resources: Resources, report: Report) -> Export:
        cursor = self._open_cursor()
        with translated("the given connection"):
            set_session(cursor)
        export = export_snapshot(cursor, staging, label=label, resources=resources, report=report)
        self.release()
        job = ProveFiles(
            export=export,
            staging=staging,
            memory_limit=resources.memory_limit,
            threads=resources.threads,
            spill=resources.spill,
        )
        return Export.model_validate_json(run_job(job, report))

    def release(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def _open_cursor(self) -> Connection:
        if self._cursor is None:
            raise UsageError("this capture has been released")
        return self._cursor


def capture_of(database: Path | Connection) -> Capture:
    """The way to capture what the caller gave: a file, or a connection that it has open."""
    return DirectCapture(database) if isinstance(database, Path) else ConnectionCapture(database)
