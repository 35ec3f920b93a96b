"""The rehearsal: before anything is uploaded, the inventory's DDL is run on an empty in-memory database.

What cannot be created again, or comes back different, is found at backup time and refused by name, not at the
restore. It also finds the order of the views, which no catalogue function tells.
"""

import duckdb

from duckback.errors import SourceError, Unsupported
from duckback.model.catalog import Catalog, Table, View
from duckback.source.catalog import read_inventory
from duckback.source.create import create_empty, create_indexes, create_view
from duckback.source.engine import Resources, connect


def rehearse(catalog: Catalog, resources: Resources) -> Catalog:
    """The same catalogue with its views in an order in which they can be created.

    Raises:
        Unsupported: an object would not come back as it is.
    """
    with connect(resources) as con:
        try:
            create_empty(con, catalog)
            create_indexes(con, catalog)
        except SourceError as error:
            raise Unsupported(f"the schema cannot be created again: {error}", hint=error.hint) from error
        ordered = catalog.model_copy(update={"views": _create_in_some_order(con, catalog.views)})
        database = con.execute("SELECT current_database()").fetchall()[0][0]
        again = read_inventory(con, database).catalog
    _refuse_changed(ordered, again)
    return ordered


def _create_in_some_order(con: duckdb.DuckDBPyConnection, views: tuple[View, ...]) -> tuple[View, ...]:
    ordered: list[View] = []
    waiting = list(views)
    while waiting:
        errors: dict[str, str] = {}
        for view in waiting:
            try:
                create_view(con, view)
            except SourceError as error:
                errors[view.label] = error.message
            else:
                ordered.append(view)
        if len(errors) == len(waiting):
            name, reason = next(iter(errors.items()))
            raise Unsupported(
                f"view {name} cannot be created again: {reason}",
                hint="Repair or drop the view: it could not be restored.",
            )
        waiting = [view for view in waiting if view.label in errors]
    return tuple(ordered)


def _refuse_changed(wanted: Catalog, got: Catalog) -> None:
    tables = {table.label: table for table in got.tables}
    for table in wanted.tables:
        if table.label not in tables or _shape(tables[table.label]) != _shape(table):
            again = tables[table.label].sql if table.label in tables else "nothing"
            raise Unsupported(
                f"table {table.label} would be restored as {again!r}, but it is {table.sql!r}",
                hint="Please report this table's definition as a defect of Duckback.",
            )


def _shape(table: Table) -> tuple[object, ...]:
    columns = [column.model_copy(update={"comment": None}) for column in table.columns]
    constraints = sorted(constraint.model_dump_json() for constraint in table.constraints)
    return columns, constraints, table.sql.count(" COLLATE ")
