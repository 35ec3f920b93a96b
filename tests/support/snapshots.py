"""Exports, manifests and restores without a repository or a child process, for tests of single steps."""

import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE, Popen, run
from typing import Any
from uuid import UUID

import duckdb

from duckback.model.catalog import Deferred
from duckback.model.export import Export, ExportedFile, ExportedTable
from duckback.model.ids import new_id
from duckback.model.manifest import LedgerHead, Manifest, ObjectRef, TableBackup
from duckback.model.progress import unheard
from duckback.model.selection import Selection
from duckback.source.engine import connect
from duckback.source.export import export_snapshot
from duckback.source.load import build_database, examine_database
from duckback.source.order import ExportOrder
from duckback.source.resources import Resources

MOMENT = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
BACKUP_ID = new_id(MOMENT)
REPOSITORY_ID = UUID("01990000-0000-7000-8000-00000000000a")


def resources(folder: Path) -> Resources:
    """Little memory, one thread."""
    return Resources("500MB", 1, folder / "spill")


def order(staging: Path, folder: Path, **selected: tuple[str, ...]) -> ExportOrder:
    """An order for files in `staging`; what else is needed goes into the folder."""
    return ExportOrder(staging=staging, label="a label", resources=resources(folder), selection=Selection(**selected))


@contextmanager
def memory_database(folder: Path, *statements: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an in-memory database made by these statements."""
    with connect(resources(folder)) as con:
        for statement in statements:
            con.execute(statement)
        yield con


def exported(con: duckdb.DuckDBPyConnection, folder: Path) -> tuple[Export, Path]:
    """The connection's database as files in a new directory below the folder."""
    staging = folder / "staging"
    staging.mkdir()
    return export_snapshot(con, order(staging, folder), unheard), staging


def manifest_of(export: Export, staging: Path) -> tuple[Manifest, dict[str, Path]]:
    """A manifest of the export as an upload would have made it, and the file of each of its keys."""
    tables = tuple(_backed_up(table, staging) for table in export.tables)
    manifest = Manifest(
        format="1",
        duckback_version="0",
        repository_id=REPOSITORY_ID,
        backup_id=BACKUP_ID,
        database="a",
        backup_type="duckdb",
        scope="full",
        parent_id=None,
        parent_manifest_sha256=None,
        started_at=MOMENT,
        snapshot_at=export.snapshot_at,
        retention_until=MOMENT + timedelta(days=90),
        compression="parquet-zstd",
        encryption="none",
        capture_mode="direct",
        file=None,
        engine=export.engine,
        ledger=LedgerHead(driver="embedded", id="x", head="0" * 64),
        catalog=export.catalog,
        tables=tables,
        excluded=(),
        seconds={"export": 1.5},
    )
    return manifest, {ref.key: staging / Path(ref.key).name for ref in manifest.objects}


def _backed_up(table: ExportedTable, staging: Path) -> TableBackup:
    objects = tuple(_ref(file, staging) for file in table.files)
    return TableBackup(
        schema_name=table.schema_name,
        name=table.name,
        method="full",
        storage=table.storage,
        objects=objects,
        native=_ref(table.native, staging) if table.native else None,
        rows=table.fingerprint.rows,
        raw_bytes=0,
        fingerprint=table.fingerprint,
        segments=table.segments,
    )


def _ref(file: ExportedFile, staging: Path) -> ObjectRef:
    return ObjectRef(
        key=f"a/duckdb/full/2026/03/07/{file.name}",
        size=(staging / file.name).stat().st_size,
        sha256="0" * 64,
        part_size=8 << 20,
        composite=None,
        encryption=None,
        rows=file.rows,
        backup_id=BACKUP_ID,
    )


def rebuilt(manifest: Manifest, files: Mapping[str, Path], target: Path) -> Path:
    """The database file that a restore of the manifest makes and examines."""
    assert built(manifest, files, target) == []
    return target


def built(manifest: Manifest, files: Mapping[str, Path], target: Path, **options: Any) -> list[Deferred]:
    """Build and examine; returns what could not be made."""
    limits = resources(target.parent)
    wanted = {"storage_version": None, "trust_ddl": False, **options}
    deferred = build_database(manifest, files, target, resources=limits, report=unheard, **wanted)
    where = wanted.get("where")
    examine_database(target, manifest, files, deferred, resources=limits, report=unheard, where=where)
    return deferred


def there_and_back(folder: Path, *statements: str) -> Path:
    """The restored file of a database that these statements made."""
    with memory_database(folder, *statements) as con:
        return rebuilt(*manifest_of(*exported(con, folder)), folder / "restored.duckdb")


def rows(database: Path | duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """The answer of a query to a database file or connection."""
    if isinstance(database, Path):
        with duckdb.connect(database, read_only=True) as con:
            return con.execute(query).fetchall()
    return database.execute(query).fetchall()


@contextmanager
def python_process(code: str, *arguments: object) -> Iterator["Popen[str]"]:
    """A Python process that runs the code, given once it has printed a first line; killed at the end."""
    process = Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stdin=PIPE, stdout=PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def can_be_opened_elsewhere(path: Path) -> bool:
    """Whether another process can open the database file for writing now."""
    code = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    ended = run([sys.executable, "-c", code, str(path)], stderr=PIPE, text=True, check=False)
    assert ended.returncode == 0 or "Could not set lock" in ended.stderr
    return ended.returncode == 0


HOLD_OPEN = """
    import duckdb, sys
    con = duckdb.connect(sys.argv[1])
    print("open", flush=True)
    sys.stdin.read()
"""
"""For `python_process`: holds the database file that is its argument open until it is ended."""
