"""duckback backup: a full or incremental backup of a database file."""

from pathlib import Path
from typing import Annotated

import typer

from duckback.api.gentle import be_gentle
from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document, size, table_label
from duckback.cli.progress import progress_bars
from duckback.cli.selection import Excluded, Schemas, Tables, selection
from duckback.errors import UsageError
from duckback.routes.exchange import BackupExchange, Scope, required


@with_options
def backup(
    call: Call,
    database: Annotated[Path, typer.Argument(help="The database file.", show_default=False)],
    full: Annotated[bool, typer.Option("--full", help="Write every row.")] = False,
    incremental: Annotated[
        bool, typer.Option("--incremental", help="Write what has changed; default, where there is a backup.")
    ] = False,
    table: Tables = None,
    schema: Schemas = None,
    exclude: Excluded = None,
    trust_repository: Annotated[
        bool, typer.Option("--trust-repository", help="Rely on the parent though the ledger contradicts it.")
    ] = False,
) -> None:
    """Back up a database: proven Parquet in the repository, or a clear error and nothing."""
    if full and incremental:
        raise UsageError("--full and --incremental were both given", hint="Give one of them, or neither.")
    scope: Scope | None = "full" if full else "incremental" if incremental else None
    be_gentle(call.loaded.options.niceness)
    with progress_bars() as report:
        done = call.duckback(report).backup(
            database,
            scope=scope,
            selection=selection(table, schema, exclude),
            trust_repository=trust_repository,
        )
    for text in done.notices:
        notice(text)
    if call.as_json:
        _print_json(done)
        return
    manifest = required(done.committed).manifest
    seconds = sum(done.seconds.values())
    print(f"backed up {done.database} as {done.backup_id} ({done.backup_scope})")
    print(f"  {manifest.rows:,} rows of {len(manifest.tables)} tables in {seconds:.1f} s", end="")
    print(f", {size(manifest.bytes_added)} in {done.uploaded_file_count} objects, encryption {manifest.encryption}")
    for promoted in manifest.promoted:
        print(f"  {table_label(promoted)} was written whole: {promoted.reason}")


def _print_json(done: BackupExchange) -> None:
    committed = required(done.committed)
    manifest = committed.manifest
    print_document(
        "backup",
        id=str(done.backup_id),
        name=done.database,
        scope=done.backup_scope,
        parent=str(manifest.parent_id) if manifest.parent_id else None,
        status="committed",
        snapshot_at=manifest.snapshot_at.isoformat(),
        rows=manifest.rows,
        bytes_added=manifest.bytes_added,
        objects_added=done.uploaded_file_count,
        promoted=[{"table": table_label(table), "reason": table.reason} for table in manifest.promoted],
        seconds={name: round(seconds, 3) for name, seconds in done.seconds.items()},
        manifest_sha256=committed.sha256,
    )
