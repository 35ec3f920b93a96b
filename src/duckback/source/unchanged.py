"""A database that nobody has written to since the parent, and a table that has the parent's rows: nothing to write."""

import socket
from pathlib import Path

from duckback.errors import SourceBusy
from duckback.model.export import BaseTable, Export, ExportedTable
from duckback.model.manifest import FileIdentity
from duckback.model.progress import Report, unheard
from duckback.model.unchanged import FileStatus, may_be_unchanged, why_changed
from duckback.source.child import run_job
from duckback.source.jobs import LookAtFile
from duckback.source.order import ExportOrder


def look_at(database: Path, report: Report = unheard) -> FileIdentity:
    """Identify a database file and its state, whoever has it open.

    Raises:
        SourceBusy: it did not stand still for long enough.
        SourceError: it is no DuckDB file.
    """
    return FileIdentity.model_validate_json(run_job(LookAtFile(database=database), report))


def unless_changed(order: ExportOrder, database: Path) -> Export | None:
    """The content of the order's base once more, if nobody has written to the database's file since; else None.

    Args:
        order: whose base may say which file that is, and in which state it was.
        database: the file.
    """
    base = order.base
    if base is None or base.file is None or not may_be_unchanged(base.file, _status(database)):
        return None
    try:
        file = look_at(database)
    except SourceBusy:
        # It changes too fast to be looked at.
        return None
    if why_changed(base.file, file) is not None:
        return None
    return Export(
        snapshot_at=file.seen_at,
        engine=base.engine,
        file=file,
        catalog=base.catalog,
        tables=tuple(map(unchanged, base.tables)),
        left_out=base.left_out,
        notices=(f"nothing was written to the database since backup {base.backup_id}: it was not read",),
    )


def _status(database: Path) -> FileStatus | None:
    # To open the file here and close it would drop the lock of a caller that has it open.
    try:
        status = database.stat()
    except OSError:
        return None
    return FileStatus(
        socket.gethostname(), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def unchanged(known: BaseTable) -> ExportedTable:
    """The table as the parent has it."""
    backup = known.backup
    return ExportedTable(
        schema_name=backup.schema_name,
        name=backup.name,
        method="unchanged",
        storage=backup.storage,
        kept=backup,
        fingerprint=backup.fingerprint,
        segments=backup.segments,
    )
