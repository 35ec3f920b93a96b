"""One table of an incremental: nothing where nothing has changed, its difference to the parent, or else the whole."""

from duckback.errors import IntegrityError
from duckback.model.export import Base, BaseTable, ExportedTable
from duckback.model.manifest import Engine
from duckback.model.progress import Progress, Report
from duckback.source.changes import MustRewrite, TableChanges
from duckback.source.order import Fetch
from duckback.source.table_writer import STEP, TableWriter
from duckback.source.unchanged import unchanged


def export_table(writer: TableWriter, engine: Engine, fetch: Fetch, report: Report) -> ExportedTable:
    """Write a table as the order wants it.

    Args:
        writer: of the table.
        engine: the DuckDB at work.
        fetch: gets objects of the order's base.
        report: hears how many rows are done.

    Returns:
        What was written, and why it was the whole if a difference was wanted.
    """
    measured = writer.measure()
    base = writer.order.base
    if base is None:
        return writer.write_whole(measured, report)
    try:
        known = _comparable(writer, base, engine)
        if measured.fingerprint == known.backup.fingerprint:
            report(Progress(STEP, rows_done=measured.fingerprint.rows))
            return unchanged(known)
        _refuse_indivisible(writer)
        return TableChanges(writer, measured, known, fetch).write(base.rewrite_share, report)
    except MustRewrite as reason:
        return writer.write_whole(measured, report, str(reason))
    except IntegrityError as error:
        return writer.write_whole(measured, report, error.message)


def _comparable(writer: TableWriter, base: Base, engine: Engine) -> BaseTable:
    """The parent's table, whose fingerprints can be compared with the table's."""
    known, then = base.table(writer.table.schema_name, writer.table.name), base.engine
    if known is None:
        raise MustRewrite("the parent does not have it")
    if known.doubt is not None:
        raise MustRewrite(known.doubt)
    if (engine.duckdb_version, engine.hash_probe) != (then.duckdb_version, then.hash_probe):
        raise MustRewrite(f"the parent was taken with DuckDB {then.duckdb_version}, this is {engine.duckdb_version}")
    columns, before = ([(one.name, one.type) for one in of] for of in (writer.table.stored_columns, known.columns))
    if columns != before or writer.storage != known.backup.storage:
        raise MustRewrite("its columns are not those that it had")
    return known


def _refuse_indivisible(writer: TableWriter) -> None:
    if writer.is_native:
        raise MustRewrite("it has changed, and Parquet cannot hold it exactly")
    if not writer.has_positions:
        raise MustRewrite("it has changed, and a column's name hides the positions of its rows")
