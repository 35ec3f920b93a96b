"""The export: every table of one snapshot as Parquet, or its difference to a parent."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from duckback.errors import SourceDamaged
from duckback.model.catalog import Deferred
from duckback.model.export import Export, ExportedTable
from duckback.model.manifest import Engine
from duckback.model.progress import Progress, Report
from duckback.source.catalog import read_inventory
from duckback.source.engine import hash_probe, scalar, translated
from duckback.source.incremental import export_table
from duckback.source.native import NativeCopy
from duckback.source.order import ExportOrder, Fetch, nothing_to_fetch
from duckback.source.rehearsal import rehearse
from duckback.source.sql import literal
from duckback.source.table_writer import STEP, TableWriter


def export_snapshot(
    con: duckdb.DuckDBPyConnection,
    order: ExportOrder,
    report: Report,
    fetch: Fetch = nothing_to_fetch,
    *,
    subject: Path | None = None,
) -> Export:
    """Write the tables of the connection's current database to Parquet files, all from one snapshot.

    Args:
        con: a connection outside a transaction, used for nothing else meanwhile.
        order: what to write, and where to.
        report: hears how many rows are done.
        fetch: gets objects of the order's base.
        subject: what errors call the database; default: its name in the connection.

    Raises:
        Unsupported: something that a backup would change; named.
        UsageError: the order selects what is not there.
        SourceDamaged: DuckDB cannot make sense of what it reads.
        SourceError: the database cannot be read, or the files cannot be written.
    """
    database = str(scalar(con, "SELECT current_database()"))
    native: list[NativeCopy] = []
    with _snapshot(con, native), translated(str(subject or database), otherwise=SourceDamaged):
        snapshot_at = datetime.now(UTC)
        engine = _engine(con, database)
        inventory = read_inventory(con, database, order.selection)
        catalog = inventory.catalog
        deferred = rehearse(catalog, order.resources)
        expected = int(str(scalar(con, _EXPECTED_ROWS.format(database=literal(database)))))
        tables: list[ExportedTable] = []
        rows_done = 0
        for number, table in enumerate(catalog.tables):
            writer = TableWriter(con, database, table, order, f"{number:04d}")
            exported = export_table(writer, engine, fetch, _rows_from(report, rows_done, expected))
            rows_done += exported.fingerprint.rows
            tables.append(exported)
            native += [writer.native] if writer.native else []
    for copy in native:
        with translated(str(subject or database)):
            copy.write(con)
    return Export(
        snapshot_at=snapshot_at,
        engine=engine,
        file=None,
        catalog=catalog,
        tables=tuple(tables),
        left_out=inventory.left_out,
        notices=tuple(map(_notice, deferred)),
    )


def _notice(deferred: Deferred) -> str:
    why = "it reads files or the network" if deferred.is_external else deferred.reason
    return (
        f"{deferred.kind} {deferred.label} could not be created on an empty database ({why}):"
        " its text is in the backup, and a restore that fails too writes it beside the restored file"
    )


_EXPECTED_ROWS = "SELECT coalesce(sum(estimated_size), 0)::BIGINT FROM duckdb_tables() WHERE database_name = {database}"


@contextmanager
def _snapshot(con: duckdb.DuckDBPyConnection, native: list[NativeCopy]) -> Iterator[None]:
    # BEGIN alone takes no snapshot: the first look at the database does, and all that follow see the same.
    con.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        con.execute("ROLLBACK")
        raise
    # What waits in temporary tables would be lost with a rollback.
    con.execute("COMMIT" if native else "ROLLBACK")


def _engine(con: duckdb.DuckDBPyConnection, database: str) -> Engine:
    query = "SELECT tags FROM duckdb_databases() WHERE database_name = ?"
    (tags,) = con.execute(query, [database]).fetchall()[0]
    return Engine(
        duckdb_version=str(scalar(con, "SELECT version()")).removeprefix("v"),
        storage_version=str(tags.get("storage_version", "")).removesuffix("+"),
        hash_probe=hash_probe(con),
    )


def _rows_from(report: Report, before: int, expected: int) -> Report:
    def shifted(progress: Progress) -> None:
        done = before + progress.rows_done
        report(Progress(STEP, rows_done=done, rows_total=max(expected, done)))

    return shifted
