"""Making the objects of a catalogue in an empty database."""

import duckdb

from duckback.errors import IntegrityError
from duckback.model.catalog import Catalog, View
from duckback.source import ddl
from duckback.source.engine import translated


def create_empty(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Schemas, types, sequences at their position, and tables without rows."""
    has_setval = bool(con.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = 'setval'").fetchall())
    statements = [*ddl.create_schemas(catalog), *ddl.create_types(catalog)]
    statements += [ddl.create_sequence(s, position_follows=has_setval) for s in catalog.sequences]
    statements += list(map(ddl.create_table, catalog.tables))
    for statement in statements:
        _create(con, statement)
    if has_setval:
        for statement in ddl.set_positions(catalog):
            with translated(statement):
                con.execute(statement).fetchall()


def create_indexes(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """The indexes, to be made once the rows are in."""
    for index in catalog.indexes:
        _create(con, index.sql)


def create_view(con: duckdb.DuckDBPyConnection, view: View) -> None:
    """One view, which needs those that it selects from."""
    _create(con, view.sql)


def set_comments(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """The comments on everything."""
    for statement in ddl.comments(catalog):
        with translated(statement):
            con.execute(statement)


def _create(con: duckdb.DuckDBPyConnection, statement: str) -> None:
    # A catalogue may come from a manifest that somebody forged: one CREATE a text, and nothing behind it.
    with translated(statement):
        parsed = con.extract_statements(statement)
    if [item.type for item in parsed] != [duckdb.StatementType.CREATE]:
        raise IntegrityError(f"not one CREATE statement: {statement[:200]!r}")
    with translated(statement):
        con.execute(statement)
