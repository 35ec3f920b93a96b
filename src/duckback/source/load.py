"""The restore's side of DuckDB: a new database file from a catalogue and its objects' files, and its examination."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from duckback.errors import IntegrityError, SourceError, UsageError
from duckback.model.catalog import Catalog, Deferred, Table
from duckback.model.catalog_changes import changes
from duckback.model.manifest import Fingerprint, Manifest, TableBackup
from duckback.model.progress import Progress, Report
from duckback.source.catalog import read_inventory
from duckback.source.condition import chosen, refuse_unfit
from duckback.source.create import create_again, create_empty, create_on_rows, set_comments
from duckback.source.deferred import with_comments
from duckback.source.engine import (
    KEEPS_ONE_ZERO,
    attach,
    connect,
    hash_probe,
    name_in_sql,
    scalar,
    shut_in,
    translated,
)
from duckback.source.examined import Examined
from duckback.source.expressions import parsed_by
from duckback.source.fingerprint import fingerprint_of
from duckback.source.load_rows import load_rows, rows_of
from duckback.source.reading import refuse_more_rows
from duckback.source.resources import Resources
from duckback.source.sql import literal, qualified
from duckback.source.types import may_hold_floats

_SIGNS = (
    "table {table}: DuckDB {version} does not store the sign of every zero where 0.0 and -0.0 stand among no other"
    " values; all else is as it was, and a restore with DuckDB 2 keeps the signs too"
)


def build_database(
    manifest: Manifest,
    files: Mapping[str, Path],
    target: Path,
    *,
    storage_version: str | None,
    trust_ddl: bool,
    resources: Resources,
    report: Report,
    where: str | None = None,
) -> list[Deferred]:
    """Make a new, checkpointed database file without a WAL from a backup's objects.

    The statements come from a manifest that is not trusted: they run with external access off but for the files
    given here, with no extensions, and with the configuration locked.

    Args:
        manifest: says what to make.
        files: each object's key → the local file with its (checked) bytes.
        target: does not exist yet.
        storage_version: of the new file ("v1.5.0"); None: the source's, where this DuckDB can write it.
        trust_ddl: run the statements that read files or the network too, unconfined, when all else is done.
        resources: limits for DuckDB.
        report: hears how many rows are loaded.
        where: of each table, only the rows for which this condition holds; None: all.

    Returns:
        The views, macros, indexes and triggers that cannot be made, with their comments.

    Raises:
        UsageError: this DuckDB does not write the storage version that is wanted, or the condition is none that fits.
        IntegrityError: the manifest holds what is not DDL.
        SourceError: the database cannot be made.
    """
    catalog = manifest.catalog
    _refuse_nested_schemas(catalog)
    with connect(resources) as con:
        if KEEPS_ONE_ZERO and any(may_hold_floats(table.stored_columns) for table in catalog.tables):
            # Of the ways in which it compresses floats, this alone takes 0.0 and -0.0 for one value.
            con.execute("SET disabled_compression_methods = 'rle'")
        _attach_new(con, target, catalog, storage_version, manifest.engine.storage_version)
        shut_in(con, files.values())
        try:
            deferred = create_empty(con, catalog)
        except SourceError as error:
            raise _with_releases(error, manifest.engine.duckdb_version) from error
        _refuse_rows(con, catalog)
        if where is not None:
            refuse_unfit(con, where, catalog.tables)
        rows_done = 0
        for table, rows in zip(catalog.tables, _in_order(manifest), strict=True):
            with translated(f"table {table.label}"):
                refuse_more_rows(con, rows, files)
            load_rows(con, table, rows, files, _tell(report, rows_done, rows.rows, manifest.rows), where=where)
            rows_done += rows.rows
        deferred += create_on_rows(con, catalog)
        set_comments(con, catalog, deferred)
        with translated(str(target)):
            con.execute("CHECKPOINT")
    deferred = with_comments(catalog, deferred)
    if not trust_ddl:
        return deferred
    external = [item for item in deferred if item.is_external]
    with connect(resources) as con:
        attach(con, target, name_in_sql(catalog.name, catalog.schema_names), "READ_WRITE")
        left = create_again(con, external)
        con.execute("CHECKPOINT")
    return [*(item for item in deferred if not item.is_external), *left]


def _refuse_nested_schemas(catalog: Catalog) -> None:
    nested = [schema.name for schema in catalog.schemas if len(schema.names) > 1]
    if nested and duckdb.__version__.startswith("1."):
        options = " ".join(f"--exclude {shlex.quote(f'{name}.*')}" for name in nested)
        raise SourceError(
            f"DuckDB {duckdb.__version__} has no schemas within schemas, and the backup has {', '.join(nested)}",
            hint=f"Restore with DuckDB 2, or without them: {options}.",
        )


def _with_releases(error: SourceError, taken_with: str) -> SourceError:
    if taken_with == duckdb.__version__:
        return error
    message = f"{error.message} (the backup was taken with DuckDB {taken_with}, this is {duckdb.__version__})"
    return SourceError(message, hint=f"Restore with DuckDB {taken_with}. {error.hint}".strip())


def _attach_new(
    con: duckdb.DuckDBPyConnection, target: Path, catalog: Catalog, wanted: str | None, of_source: str
) -> None:
    if wanted is not None and not _can_write(con, wanted):
        raise UsageError(
            f"DuckDB {duckdb.__version__} does not write storage version {wanted!r}",
            hint="Give a release that it knows, such as v1.0.0 or v1.5.0.",
        )
    version = wanted or of_source
    # The newest that this release writes holds most of what the source may have.
    options = f"STORAGE_VERSION {literal(version if _can_write(con, version) else 'latest')}"
    attach(con, target, name_in_sql(catalog.name, catalog.schema_names), options)


def _can_write(con: duckdb.DuckDBPyConnection, version: str) -> bool:
    try:
        con.execute(f"ATTACH ':memory:' AS version_probe (STORAGE_VERSION {literal(version)})")
    except duckdb.InvalidInputException:
        return False
    con.execute("DETACH version_probe")
    return True


def _refuse_rows(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    for table in catalog.tables:
        if scalar(con, f"SELECT count(*) FROM {qualified(*table.path)}") != 0:
            raise IntegrityError(f"the definition of table {table.label} brings rows of its own")


def _in_order(manifest: Manifest) -> list[TableBackup]:
    by_name = {(table.schema_name, table.name): table for table in manifest.tables}
    return [by_name[table.schema_name, table.name] for table in manifest.catalog.tables]


def _tell(report: Report, before: int, rows: int, expected: int) -> Callable[[float], None]:
    return lambda share: report(
        Progress("restore-duckdb-from-parquet", rows_done=before + int(share * rows), rows_total=expected)
    )


def examine_database(
    path: Path,
    manifest: Manifest,
    files: Mapping[str, Path],
    deferred: Sequence[Deferred],
    *,
    resources: Resources,
    report: Report,
    where: str | None = None,
) -> Examined:
    """Open a restored file read-only and compare its catalogue and every table's rows with the manifest.

    Where some rows were left out, it is the rows in the files that are compared with the manifest, and the restored
    ones with those of them for which the condition holds. Where this DuckDB hashes differently from the one that took
    the backup, the expected fingerprints are computed from the files, whose bytes were checked.

    Args:
        path: the file.
        manifest: what it was made from.
        files: each object's key → the local file.
        deferred: what was not made.
        resources: limits for DuckDB.
        report: hears how many rows are compared.
        where: the condition that chose the rows; None: all were restored.

    Returns:
        How many rows are there, and what the user should hear: the tables in which this DuckDB did not keep the sign
        of some zeros.

    Raises:
        IntegrityError: something is not what the manifest says; the message names it.
    """
    with connect(resources) as con:
        name = name_in_sql(manifest.catalog.name, manifest.catalog.schema_names)
        attach(con, path, name, "READ_ONLY")
        got = read_inventory(con, name).catalog
        # How a definition is worded, and how some values hash, is a matter of the release.
        same_release = manifest.engine.duckdb_version == duckdb.__version__
        parsed = parsed_by(con)
        for kind, label, change in changes(manifest.catalog, got, deferred, same_words=same_release, parsed=parsed):
            raise IntegrityError(f"{kind} {label} was not restored as it was: {change}")
        same_hash = same_release and hash_probe(con) == manifest.engine.hash_probe
        rows_done = rows_there = 0
        notices: list[str] = []
        for table, rows in zip(manifest.catalog.tables, _in_order(manifest), strict=True):
            relation = qualified(*table.path)
            found = fingerprint_of(con, relation, table.stored_columns)
            if where is None and same_hash:
                expected = rows.fingerprint
            else:
                _refuse_other_rows(con, table, rows, files, same_hash=same_hash)
                expected = _from_files(con, table, rows, files, where=where)
            if found != expected:
                if not (KEEPS_ONE_ZERO and _differs_in_zeros_alone(con, table, rows, files, expected, where=where)):
                    raise IntegrityError(f"the restored table {table.label} does not have the rows that were backed up")
                notices.append(_SIGNS.format(table=table.label, version=duckdb.__version__))
            rows_there += found.rows
            rows_done += rows.rows
            report(Progress("verify-restored-database", rows_done=rows_done, rows_total=manifest.rows))
        return Examined(rows=rows_there, notices=tuple(notices))


def _refuse_other_rows(
    con: duckdb.DuckDBPyConnection, table: Table, rows: TableBackup, files: Mapping[str, Path], *, same_hash: bool
) -> None:
    if not same_hash:
        return  # their bytes were checked, and no more can be known
    if _from_files(con, table, rows, files, where=None) != rows.fingerprint:
        raise IntegrityError(f"the objects of table {table.label} do not hold the rows that were backed up")


def _from_files(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rows: TableBackup,
    files: Mapping[str, Path],
    *,
    where: str | None,
    zeros_alike: bool = False,
) -> Fingerprint:
    with rows_of(con, table, rows, files) as every:
        relation = chosen(con, table, every, where)
        return fingerprint_of(con, relation, table.stored_columns, zeros_alike=zeros_alike)


def _differs_in_zeros_alone(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rows: TableBackup,
    files: Mapping[str, Path],
    expected: Fingerprint,
    *,
    where: str | None,
) -> bool:
    # The files answer for what is compared here only if they have, signs and all, what the manifest says.
    if _from_files(con, table, rows, files, where=where) != expected:
        return False
    found = fingerprint_of(con, qualified(*table.path), table.stored_columns, zeros_alike=True)
    return found == _from_files(con, table, rows, files, where=where, zeros_alike=True)
