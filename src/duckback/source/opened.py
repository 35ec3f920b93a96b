"""A backup as a DuckDB catalogue: its schemas, types, macros and views, and views in the place of its tables."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from duckback.errors import SourceError
from duckback.model.catalog import Catalog, Deferred, Table
from duckback.model.manifest import Manifest, TableBackup
from duckback.source.create import Made, create_empty, create_one
from duckback.source.engine import translated
from duckback.source.files import rows_that_count
from duckback.source.native import attach_native
from duckback.source.sql import qualified
from duckback.source.views import generated_in_order, over, placeholder


def create_catalog(con: duckdb.DuckDBPyConnection, catalog: Catalog, made: Made) -> list[Deferred]:
    """Make the catalogue, with views that fail in the place of its tables; no object is read.

    Args:
        con: an instance that is shut in, whose current database is empty.
        catalog: of the backup; not trusted.
        made: hears the statements that made it, in their order.

    Returns:
        The macros and views that cannot be made.

    Raises:
        SourceError: a schema, type, sequence or table cannot be made.
        IntegrityError: the catalogue holds what is not one CREATE statement.
    """
    tables = tuple(map(placeholder, catalog.tables))
    views = (*tables, *catalog.views)
    deferred = create_empty(
        con, catalog.model_copy(update={"tables": (), "views": views, "indexes": (), "triggers": ()}), made
    )
    labels = {table.label for table in tables}
    for item in deferred:
        if item.kind == "view" and item.label in labels:
            raise SourceError(f"table {item.label} cannot be shown: {item.reason}")
    return deferred


class Tables:
    """The tables of a backup in a catalogue of `create_catalog`, each opened when it is asked for.

    Args:
        con: on that catalogue.
        manifest: of the backup.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
        self._con = con
        self._rows = {(rows.schema_name, rows.name): rows for rows in manifest.tables}
        self._catalog = manifest.catalog
        self._open: set[tuple[str, ...]] = set()

    def of(self, tables: Iterable[Table]) -> list[TableBackup]:
        """What the manifest says of tables that are not open yet."""
        return [self._rows[table.schema_name, table.name] for table in tables if table.key not in self._open]

    def open(self, tables: Iterable[Table], places: Mapping[str, Path | str]) -> None:
        """Put views over their objects in the place of tables.

        Args:
            tables: any of the catalogue.
            places: each object's key → where DuckDB finds it.

        Raises:
            SourceError: the objects cannot be read, or do not have the columns.
            IntegrityError: a native file is none.
        """
        for table in tables:
            if table.key in self._open:
                continue
            view = over(table, self._relation(table, places), generated_in_order(self._con, table))
            with translated(f"table {table.label}"):
                self._con.execute(f"DROP VIEW {qualified(*table.path)}")
            create_one(self._con, view.sql, "view")
            self._open.add(table.key)

    def _relation(self, table: Table, places: Mapping[str, Path | str]) -> str:
        rows = self._rows[table.schema_name, table.name]
        if rows.native is None:
            return rows_that_count(rows, places, table.stored_columns)
        name = native_name(self._catalog, table)
        return attach_native(self._con, places[rows.native.key], table.label, name)


def native_name(catalog: Catalog, table: Table) -> str:
    """By which name the native file of a table is attached: no other table's, and none of the catalogue's schemas."""
    name = f"duckback_native_{catalog.tables.index(table)}"
    while name in {known.lower() for known in (catalog.name, *catalog.schema_names)}:
        name += "_"
    return name
