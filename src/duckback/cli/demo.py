"""duckback demo: the whole story on this machine alone: back up, damage, restore, compare."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from duckback.api import Duckback
from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document, size
from duckback.cli.progress import progress_bars
from duckback.errors import IntegrityError, SourceError
from duckback.routes.exchange import required
from duckback.source.demo import SIGNALS, build_hot_tier, damage, differing_rows, is_readable


@with_options
def demo(
    call: Call,
    directory: Annotated[
        Path | None, typer.Option("--directory", help="Where to work; default: a new temporary directory.")
    ] = None,
    signals: Annotated[int, typer.Option("--signals", min=1, help="Rows of the largest table.")] = SIGNALS,
) -> None:
    """Build a hot tier, back it up, list it, damage it, restore it, compare every row."""
    place = directory or Path(tempfile.mkdtemp(prefix="duckback-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    database, pristine = place / "hot.duckdb", place / "hot.as-it-was.duckdb"
    if database.exists():
        raise SourceError(f"{database} exists already", hint="Give --directory a new place.")
    tell = _Teller(silent=call.as_json)
    tell(f"1. a hot tier of eight tables over seven days: {database}")
    build_hot_tier(database, signals)
    shutil.copyfile(database, pristine)

    tell(f"2. duckback backup {database} --repo {place / 'repository'}")
    options = call.loaded.options.model_dump() | {"state_dir": place / "state", "name": None}
    with progress_bars() as report:
        duckback = Duckback(**options | {"repo": place / "repository"}, report=report)
        backup = duckback.backup(database)
    manifest = required(backup.committed).manifest
    backup_seconds = sum(backup.seconds.values())
    rate = manifest.rows / backup_seconds
    tell(f"   {manifest.rows:,} rows in {backup_seconds:.1f} s ({rate:,.0f} rows/s), {size(manifest.size_bytes)}")

    tell("3. duckback list")
    for one in duckback.backups():
        tell(f"   {one.summary.backup_id}  {one.summary.database}  {one.status}")

    tell("4. a disaster: the database file is overwritten from its header on")
    damage(database)
    if is_readable(database):
        raise IntegrityError("the damaged database can still be read: the demo proves nothing")
    tell("   DuckDB cannot read it any more")

    tell(f"5. duckback restore {database} --repo {place / 'repository'} --force")
    started = time.monotonic()
    with progress_bars() as report:
        restored = Duckback(**options | {"repo": place / "repository"}, report=report).restore(database, force=True)
    restore_seconds = time.monotonic() - started
    tell(f"   every table proven, in {restore_seconds:.1f} s; the damaged file is now {restored.kept_as}")

    tell("6. compared with the database as it was, row by row")
    differences = differing_rows(pristine, database)
    for table, count in differences.items():
        tell(f"   {table}: {'the same' if count == 0 else f'{count} rows differ'}")
    if any(differences.values()):
        raise IntegrityError("the restored database is not the one that was backed up")
    tell(f"Everything lies in {place}; remove it when you have looked.")
    if call.as_json:
        print_document(
            "demo",
            directory=str(place),
            rows=manifest.rows,
            size_bytes=manifest.size_bytes,
            backup_seconds=round(backup_seconds, 3),
            restore_seconds=round(restore_seconds, 3),
            differing_rows=differences,
        )


class _Teller:
    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    def __call__(self, line: str) -> None:
        if not self._silent:
            print(line, flush=True)
