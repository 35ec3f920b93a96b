"""duckback show: what is in one backup."""

from typing import Annotated
from uuid import UUID

import typer

from duckback.cli.changes import show_changes
from duckback.cli.list import as_record
from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document, print_table, size, table_label
from duckback.model.manifest import TableBackup


@with_options
def show(
    call: Call,
    backup: Annotated[str, typer.Argument(help='An id, the beginning of one, or "latest".')] = "latest",
    diff: Annotated[
        str | None,
        typer.Option(
            "--diff",
            metavar="ID",
            help="Instead, the rows added and removed in each table since this other backup.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show one backup: where it comes from, what it holds, table by table."""
    if diff is not None:
        show_changes(call, diff, backup)
        return
    found = call.duckback().find(backup)
    manifest = found.committed.manifest
    if call.as_json:
        print_document(
            "show",
            **as_record(found),
            manifest_sha256=found.committed.sha256,
            manifest=manifest.model_dump(mode="json"),
        )
        return
    source = manifest.file.path if manifest.file else "memory"
    print(f"backup   {manifest.backup_id} ({manifest.scope}, {found.status})")
    print(f"database {manifest.database}, from {source} ({manifest.capture_mode})")
    print(f"snapshot {manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, kept until {manifest.retention_until:%Y-%m-%d}")
    print(f"engine   DuckDB {manifest.engine.duckdb_version}, storage {manifest.engine.storage_version or 'in memory'}")
    print(f"manifest {found.committed.sha256}")
    for what in manifest.excluded:
        print(f"left out {what}")
    if manifest.parent_id is not None:
        print(f"parent   {manifest.parent_id}")
    if manifest.full_because is not None:
        print(f"full     {manifest.full_because}")
    headings = ("table", "rows", "added", "removed", "objects", "size", "written", "method", "reason")
    rows = [_row(table, manifest.backup_id) for table in manifest.tables]
    print_table(headings, rows, numbers={*headings[1:7]})


def _row(table: TableBackup, backup_id: UUID) -> tuple[str, ...]:
    return (
        table_label(table),
        f"{table.rows:,}",
        f"{table.rows_added:,}",
        f"{table.rows_removed:,}",
        str(len(table.refs)),
        size(sum(ref.size for ref in table.refs)),
        size(sum(ref.size for ref in table.refs if ref.backup_id == backup_id)),
        table.method,
        table.reason or "",
    )
