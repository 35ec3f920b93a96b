"""duckback restore: a database file from a backup."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document
from duckback.cli.progress import progress_bars
from duckback.errors import UsageError


@with_options
def restore(
    call: Call,
    target: Annotated[Path, typer.Argument(help="The file to make; it must not exist.", show_default=False)],
    backup: Annotated[str | None, typer.Option("--backup", help='An id or its beginning; default: "latest".')] = None,
    at: Annotated[str | None, typer.Option("--at", help="The newest backup not after this time (RFC 3339).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Move an existing target aside first.")] = False,
    storage_version: Annotated[
        str | None, typer.Option("--storage-version", help="Of the new file (v1.5.0); default: the source's.")
    ] = None,
) -> None:
    """Restore a database: built beside the target, proven, and only then given its name."""
    with progress_bars() as report:
        done = call.duckback(report).restore(
            target, backup=backup, at=_moment(at), force=force, storage_version=storage_version
        )
    manifest = done.manifest
    seconds = sum(done.seconds.values())
    if call.as_json:
        print_document(
            "restore",
            id=str(manifest.backup_id),
            name=done.database,
            target=str(done.target),
            rows=manifest.rows,
            tables=len(manifest.tables),
            seconds={name: round(taken, 3) for name, taken in done.seconds.items()},
            proof="catalogue and fingerprints of every table equal the manifest's",
        )
        return
    print(f"restored {manifest.rows:,} rows of {len(manifest.tables)} tables to {done.target} in {seconds:.1f} s")
    print(f"  backup {manifest.backup_id} of {manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC; every table proven")
    if done.kept_as is not None:
        print(f"  what was there before is now {done.kept_as}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text!r} is not a time", hint="Write it as 2026-11-23T03:00:00Z.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
