"""The schema inventory of a database, read inside the snapshot through DuckDB's `duckdb_*()` functions."""

import shlex
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import duckdb

from duckback.errors import Unsupported
from duckback.model.catalog import Catalog, Table
from duckback.model.column_types import refused_part
from duckback.model.selection import EVERYTHING, Selection, select
from duckback.source.catalog_macros import read_macros
from duckback.source.catalog_rows import CatalogReader
from duckback.source.types import parse_type


@dataclass(frozen=True)
class Inventory:
    """What a database holds: what a backup carries, and (by kind and name) what it leaves out."""

    catalog: Catalog
    left_out: tuple[str, ...]


def read_inventory(con: duckdb.DuckDBPyConnection, database: str, selection: Selection = EVERYTHING) -> Inventory:
    """Read every object of an attached database, or those that are selected.

    Args:
        con: a connection inside the snapshot's transaction, whose current database it is.
        database: the name under which it is attached.
        selection: what to take of it.

    Raises:
        Unsupported: something that a backup would change; the message names it.
        UsageError: something is selected that is not there.
    """
    reader = CatalogReader(con, database)
    whole = Catalog(
        name=database,
        schemas=reader.schemas(),
        types=reader.types(),
        sequences=reader.sequences(),
        macros=read_macros(con, reader, selection),
        tables=_parents_first(reader.tables()),
        views=reader.views(),
        indexes=reader.indexes(),
        triggers=reader.triggers(),
    )
    catalog, left_out = select(whole, selection)
    _refuse_inexact(catalog)
    return Inventory(catalog, left_out)


def _parents_first(tables: list[Table]) -> tuple[Table, ...]:
    by_key = {table.key: table for table in tables}
    sorter: TopologicalSorter[tuple[str, ...]] = TopologicalSorter()
    for key, table in by_key.items():
        referenced = {table.beside(c.referenced_table) for c in table.constraints if c.referenced_table is not None}
        sorter.add(key, *(referenced - {key}))
    try:
        return tuple(by_key[key] for key in sorter.static_order())
    except CycleError as error:
        raise Unsupported(f"foreign keys refer to one another in a circle: {error.args[1]}") from error


def _refuse_inexact(catalog: Catalog) -> None:
    refused = {
        table.label: f"column {column.name!r} of {table.label} ({part.sql})"
        for table in catalog.tables
        for column in table.stored_columns
        if (part := refused_part(parse_type(column.type))) is not None
    }
    if refused:
        options = " ".join(f"--exclude {shlex.quote(label)}" for label in refused)
        raise Unsupported(
            f"a backup would change the values of {', '.join(refused.values())}",
            hint=f"Store them as another type (VARCHAR holds every value), or leave the tables out: {options}.",
        )
