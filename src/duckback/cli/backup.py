"""duckback backup: a full backup of a database file."""

from pathlib import Path
from typing import Annotated

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document, size
from duckback.cli.progress import progress_bars
from duckback.cli.selection import Excluded, Schemas, Tables, selection
from duckback.routes.exchange import BackupExchange, required


@with_options
def backup(
    call: Call,
    database: Annotated[Path, typer.Argument(help="The database file.", show_default=False)],
    table: Tables = None,
    schema: Schemas = None,
    exclude: Excluded = None,
) -> None:
    """Back up a database: proven Parquet in the repository, or a clear error and nothing."""
    with progress_bars() as report:
        done = call.duckback(report).backup(database, selection=selection(table, schema, exclude))
    for text in done.notices:
        notice(text)
    if call.as_json:
        _print_json(done)
        return
    manifest = required(done.committed).manifest
    seconds = sum(done.seconds.values())
    print(f"backed up {done.database} as {done.backup_id} ({done.backup_scope})")
    print(f"  {manifest.rows:,} rows of {len(manifest.tables)} tables in {seconds:.1f} s", end="")
    print(f", {size(manifest.bytes_added)} in {len(manifest.objects)} objects, encryption {manifest.encryption}")


def _print_json(done: BackupExchange) -> None:
    committed = required(done.committed)
    manifest = committed.manifest
    print_document(
        "backup",
        id=str(done.backup_id),
        name=done.database,
        scope=done.backup_scope,
        parent=None,
        status="committed",
        snapshot_at=manifest.snapshot_at.isoformat(),
        rows=manifest.rows,
        bytes_added=manifest.bytes_added,
        objects_added=done.uploaded_file_count,
        promoted=[],
        seconds={name: round(seconds, 3) for name, seconds in done.seconds.items()},
        manifest_sha256=committed.sha256,
    )
