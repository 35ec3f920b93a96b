"""The restore's side of DuckDB: a new database file from a catalogue and Parquet files, and its examination."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from duckback.errors import IntegrityError, UsageError
from duckback.model.catalog import Catalog, Table
from duckback.model.manifest import Fingerprint, Manifest, TableBackup
from duckback.model.progress import Progress, Report
from duckback.source.catalog import read_inventory
from duckback.source.create import create_empty, create_indexes, create_view, set_comments
from duckback.source.engine import Resources, attach, connect, hash_probe, scalar, translated
from duckback.source.fingerprint import grouped_fingerprints, total
from duckback.source.progress import followed
from duckback.source.proof import file_fingerprints
from duckback.source.sql import identifier, literal, qualified

_NAME = "restored"


def build_database(
    manifest: Manifest,
    files: Mapping[str, Path],
    target: Path,
    *,
    storage_version: str | None,
    resources: Resources,
    report: Report,
) -> None:
    """Make a new, checkpointed database file without a WAL from a backup's objects.

    The statements come from a manifest that is not trusted: they run with external access off but for the files
    given here, with no extensions, and with the configuration locked.

    Args:
        manifest: says what to make.
        files: each object's key → the local file with its (checked) bytes.
        target: does not exist yet.
        storage_version: of the new file ("v1.5.0"); None: the source's, where this DuckDB can write it.
        resources: limits for DuckDB.
        report: hears how many rows are loaded.

    Raises:
        UsageError: this DuckDB does not write the storage version that is wanted.
        IntegrityError: the manifest holds what is not DDL.
        SourceError: the database cannot be made.
    """
    with connect(resources) as con:
        _attach_new(con, target, storage_version, manifest.engine.storage_version)
        _shut_in(con, files.values())
        create_empty(con, manifest.catalog)
        _refuse_rows(con, manifest.catalog)
        rows_done = 0
        for table, rows in zip(manifest.catalog.tables, _in_order(manifest), strict=True):
            paths = [files[ref.key] for ref in rows.objects]
            _load(con, table, paths, _tell(report, rows_done, rows.rows, manifest.rows))
            rows_done += rows.rows
        create_indexes(con, manifest.catalog)
        for view in manifest.catalog.views:
            create_view(con, view)
        set_comments(con, manifest.catalog)
        with translated(str(target)):
            con.execute("CHECKPOINT")
            con.execute("USE memory")
            con.execute(f"DETACH {_NAME}")


def _attach_new(con: duckdb.DuckDBPyConnection, target: Path, wanted: str | None, of_source: str) -> None:
    if wanted is not None and not _can_write(con, wanted):
        raise UsageError(
            f"DuckDB {duckdb.__version__} does not write storage version {wanted!r}",
            hint="Give a release that it knows, such as v1.0.0 or v1.5.0.",
        )
    version = wanted or of_source
    attach(con, target, _NAME, f"STORAGE_VERSION {literal(version)}" if _can_write(con, version) else "READ_WRITE")


def _can_write(con: duckdb.DuckDBPyConnection, version: str) -> bool:
    try:
        con.execute(f"ATTACH ':memory:' AS version_probe (STORAGE_VERSION {literal(version)})")
    except duckdb.InvalidInputException:
        return False
    con.execute("DETACH version_probe")
    return True


def _shut_in(con: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    folders = sorted({str(path.parent) for path in files})
    con.execute("SET allowed_directories = ?", [folders])
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _refuse_rows(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    for table in catalog.tables:
        if scalar(con, f"SELECT count(*) FROM {qualified(table.schema_name, table.name)}") != 0:
            raise IntegrityError(f"the definition of table {table.label} brings rows of its own")


def _in_order(manifest: Manifest) -> list[TableBackup]:
    by_name = {(table.schema_name, table.name): table for table in manifest.tables}
    return [by_name[table.schema_name, table.name] for table in manifest.catalog.tables]


def _tell(report: Report, before: int, rows: int, expected: int) -> Callable[[float], None]:
    return lambda share: report(
        Progress("restore-duckdb-from-parquet", rows_done=before + int(share * rows), rows_total=expected)
    )


def _load(con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path], tell: Callable[[float], None]) -> None:
    names = ", ".join(identifier(column.name) for column in table.stored_columns)
    values = ", ".join(f"{identifier(column.name)}::{column.type}" for column in table.stored_columns)
    paths = ", ".join(literal(str(path)) for path in files)
    # A folder on the way to the files that is called like `region=eu` is no column of theirs.
    statement = (
        f"INSERT INTO {qualified(table.schema_name, table.name)} ({names})"
        f" SELECT {values} FROM read_parquet([{paths}], hive_partitioning = false)"
    )
    with translated(f"table {table.label}"), followed(con, tell):
        con.execute(statement).fetchall()


def examine_database(
    path: Path, manifest: Manifest, files: Mapping[str, Path], *, resources: Resources, report: Report
) -> None:
    """Open a restored file read-only and compare its catalogue and every table's rows with the manifest.

    Where this DuckDB hashes differently from the one that took the backup, the expected fingerprints are computed
    from the files, whose bytes were checked.

    Raises:
        IntegrityError: something is not what the manifest says; the message names it.
    """
    with connect(resources) as con:
        attach(con, path, _NAME, "READ_ONLY")
        inventory = read_inventory(con, _NAME)
        _compare_catalogs(manifest.catalog, inventory.catalog)
        if inventory.left_out:
            raise IntegrityError(f"the restored database has what no backup holds: {', '.join(inventory.left_out)}")
        same_hash = hash_probe(con) == manifest.engine.hash_probe
        rows_done = 0
        for table, rows in zip(manifest.catalog.tables, _in_order(manifest), strict=True):
            relation = qualified(table.schema_name, table.name)
            found = total([part for _, part in grouped_fingerprints(con, relation, table.stored_columns, "0")])
            paths = [files[ref.key] for ref in rows.objects]
            expected = rows.fingerprint if same_hash else _from_files(con, table, paths)
            if found != expected:
                raise IntegrityError(f"the restored table {table.label} does not have the rows that were backed up")
            rows_done += rows.rows
            report(Progress("verify-restored-database", rows_done=rows_done, rows_total=manifest.rows))


def _from_files(con: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path]) -> Fingerprint:
    return total([part for path in paths for part in file_fingerprints(con, path, table.stored_columns, [])])


def _compare_catalogs(wanted: Catalog, got: Catalog) -> None:
    for kind in ("schemas", "types", "sequences", "tables", "views", "indexes"):
        missing = _names(wanted, kind) - _names(got, kind)
        surplus = _names(got, kind) - _names(wanted, kind)
        if missing or surplus:
            raise IntegrityError(
                f"the restored database lacks {kind} {sorted(missing)} and has {sorted(surplus)} in their place"
            )


def _names(catalog: Catalog, kind: str) -> set[str]:
    return {getattr(item, "label", item.name) for item in getattr(catalog, kind)}
