"""Connection capture: through the connection that a Python application has open."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import duckdb

from duckback.errors import UsageError
from duckback.model.export import Export
from duckback.model.progress import Report
from duckback.source.capture import CaptureMode
from duckback.source.capture_image import from_a_good_image, order_of
from duckback.source.child import run_job
from duckback.source.engine import set_session, translated
from duckback.source.export import export_snapshot
from duckback.source.image.place import ImageSettings
from duckback.source.image.taken import Image
from duckback.source.jobs import ExportFile, ProveFiles
from duckback.source.order import ExportOrder, Fetch, nothing_to_fetch
from duckback.source.sql import qualified
from duckback.source.unchanged import unless_changed

Connection = duckdb.DuckDBPyConnection


class ConnectionCapture:
    """Works through a cursor of the caller's connection, in a transaction that is rolled back.

    Of a database with a file, a child process takes an image while an uncommitted CREATE TABLE keeps DuckDB from
    checkpointing; of one in memory, the export reads that transaction's snapshot. The caller's connection, its
    transaction and its settings stay as they are, and this process never opens the file: closing it would drop the
    caller's lock on it.
    """

    mode: CaptureMode = "connection"

    def __init__(self, connection: Connection, settings: ImageSettings) -> None:
        self._settings = settings
        with translated("the given connection"):
            self._cursor: Connection | None = connection.cursor()

    @property
    def default_name(self) -> str | None:
        path = self._database()[1]
        return path.stem if path else None

    def export(self, order: ExportOrder, report: Report, fetch: Fetch = nothing_to_fetch) -> Export:
        name, path, is_read_only = self._database()
        if path is None:
            return self._export_memory(order, report, fetch)
        same = unless_changed(order, path)
        if same is not None:
            return same

        def attempt(directory: Path) -> Export:
            with self._without_checkpoints(name, is_read_only=is_read_only):
                taken = run_job(order_of(path, directory, self._settings), report)
            job = ExportFile(database=path, image=Image.model_validate_json(taken), order=order)
            return Export.model_validate_json(run_job(job, report, fetch))

        return from_a_good_image(path, self._settings, order.staging, attempt)

    def release(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def _database(self) -> tuple[str, Path | None, bool]:
        query = "SELECT database_name, path, readonly FROM duckdb_databases() WHERE database_name = current_database()"
        with translated("the given connection"):
            name, path, is_read_only = self._open_cursor().execute(query).fetchall()[0]
        return name, Path(path).absolute() if path else None, is_read_only

    @contextmanager
    def _without_checkpoints(self, name: str, *, is_read_only: bool) -> Iterator[None]:
        if is_read_only:
            # Then nobody has it open for writing, and nothing could be created.
            yield
            return
        cursor = self._open_cursor()
        table = qualified(name, "main", f"duckback_{uuid4().hex}")
        with translated("the given connection"):
            cursor.execute("BEGIN TRANSACTION")
            try:
                cursor.execute(f"CREATE TABLE {table} (uncommitted INTEGER)")
                yield
            finally:
                cursor.execute("ROLLBACK")

    def _export_memory(self, order: ExportOrder, report: Report, fetch: Fetch) -> Export:
        cursor = self._open_cursor()
        with translated("the given connection"):
            set_session(cursor)
            notices = tuple(f"not in the backup: {what}" for what in _beside(cursor))
        export = export_snapshot(cursor, order, report, fetch)
        self.release()
        job = ProveFiles(
            export=export.model_copy(update={"notices": (*export.notices, *notices)}),
            staging=order.staging,
            resources=order.resources,
        )
        return Export.model_validate_json(run_job(job, report, fetch))

    def _open_cursor(self) -> Connection:
        if self._cursor is None:
            raise UsageError("this capture has been released")
        return self._cursor


def _beside(cursor: Connection) -> list[str]:
    """What the instance has beside the database: no backup holds it, and its user may think otherwise."""
    attached = "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> current_database()"
    secrets = "SELECT name FROM duckdb_secrets()"
    return [
        *(f"the attached database {name}" for (name,) in cursor.execute(attached).fetchall()),
        *(f"the secret {name}" for (name,) in cursor.execute(secrets).fetchall()),
    ]
