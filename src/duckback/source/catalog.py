"""The schema inventory of a database, read inside the snapshot through DuckDB's `duckdb_*()` functions."""

import re
from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from types import SimpleNamespace

import duckdb

from duckback.errors import Unsupported
from duckback.model.catalog import (
    Catalog,
    Column,
    Constraint,
    Index,
    Schema,
    Sequence,
    Table,
    UserType,
    View,
)
from duckback.model.column_types import refused_part
from duckback.source.sql import identifier, qualified
from duckback.source.types import parse_type

_USER_TYPES_EXCLUDED = "type_name NOT IN (SELECT type_name FROM duckdb_types() WHERE internal)"


@dataclass(frozen=True)
class Inventory:
    """What a database holds: what a backup carries, and (by kind and name) what it leaves out."""

    catalog: Catalog
    left_out: tuple[str, ...]


def read_inventory(con: duckdb.DuckDBPyConnection, database: str) -> Inventory:
    """Read every object of an attached database.

    Args:
        con: a connection inside the snapshot's transaction.
        database: the name under which it is attached.

    Raises:
        Unsupported: a table or type that a backup would change; the message names it.
    """
    reader = _Reader(con, database)
    catalog = Catalog(
        schemas=reader.schemas(),
        types=reader.types(),
        sequences=reader.sequences(),
        tables=_parents_first(reader.tables()),
        views=reader.views(),
        indexes=reader.indexes(),
    )
    for table in catalog.tables:
        _refuse_inexact(table)
    return Inventory(catalog, reader.left_out())


class _Reader:
    """The queries, one a kind of object; rows come in the order in which objects were made."""

    def __init__(self, con: duckdb.DuckDBPyConnection, database: str) -> None:
        self._con = con
        self._database = database

    def _rows(self, function: str, columns: str, order: str, *, where: str = "true") -> list[SimpleNamespace]:
        query = f"SELECT {columns} FROM {function}() WHERE database_name = ? AND ({where}) ORDER BY {order}"
        names = [name.strip() for name in columns.split(",")]
        rows = self._con.execute(query, [self._database]).fetchall()
        return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows]

    def schemas(self) -> tuple[Schema, ...]:
        known = self._con.execute("SELECT * FROM duckdb_schemas() LIMIT 0").description or []
        nests = "parent_schema" in {name for name, *_ in known}
        rows = self._rows(
            "duckdb_schemas",
            f"schema_name, comment{', parent_schema' if nests else ''}",
            "oid",
            where="NOT internal OR schema_name = 'main'",
        )
        for row in rows:
            if nests and row.parent_schema is not None:
                raise Unsupported(
                    f"schema {row.schema_name} lies in schema {row.parent_schema}, which Duckback does not restore yet",
                    hint="Move its objects to a schema of the first level.",
                )
        return tuple(Schema(name=row.schema_name, comment=row.comment) for row in rows)

    def types(self) -> tuple[UserType, ...]:
        rows = self._rows(
            "duckdb_types",
            "schema_name, type_name, comment",
            "type_oid",
            where=f"NOT internal AND {_USER_TYPES_EXCLUDED}",
        )
        return tuple(
            UserType(
                schema_name=row.schema_name,
                name=row.type_name,
                comment=row.comment,
                definition=self._definition(row.schema_name, row.type_name),
            )
            for row in rows
        )

    def _definition(self, schema: str, name: str) -> str:
        found = self._con.execute(f"SELECT typeof(NULL::{qualified(self._database, schema, name)})").fetchone()
        return str(found[0]) if found else ""

    def sequences(self) -> tuple[Sequence, ...]:
        columns = (
            "schema_name, sequence_name, comment, start_value, min_value, max_value, increment_by, cycle, last_value"
        )
        return tuple(
            Sequence(
                schema_name=row.schema_name,
                name=row.sequence_name,
                comment=row.comment,
                start=row.start_value,
                minimum=row.min_value,
                maximum=row.max_value,
                increment=row.increment_by,
                cycle=row.cycle,
                last_value=row.last_value,
            )
            for row in self._rows("duckdb_sequences", columns, "sequence_oid", where="NOT temporary")
        )

    def tables(self) -> list[Table]:
        columns, constraints = self._columns(), self._constraints()
        rows = self._rows(
            "duckdb_tables",
            "schema_name, table_name, comment, sql",
            "table_oid",
            where="NOT internal AND NOT temporary",
        )
        return [
            Table(
                schema_name=row.schema_name,
                name=row.table_name,
                comment=row.comment,
                columns=tuple(_completed(column, row.sql) for column in columns[row.schema_name, row.table_name]),
                constraints=tuple(constraints[row.schema_name, row.table_name]),
                sql=row.sql,
            )
            for row in rows
        ]

    def _columns(self) -> dict[tuple[str, str], list[Column]]:
        found: dict[tuple[str, str], list[Column]] = defaultdict(list)
        columns = "schema_name, table_name, column_name, data_type, is_nullable, column_default, comment"
        for row in self._rows("duckdb_columns", columns, "table_oid, column_index"):
            found[row.schema_name, row.table_name].append(
                Column(
                    name=row.column_name,
                    type=row.data_type,
                    not_null=not row.is_nullable,
                    default=row.column_default,
                    comment=row.comment,
                )
            )
        return found

    def _constraints(self) -> dict[tuple[str, str], list[Constraint]]:
        found: dict[tuple[str, str], list[Constraint]] = defaultdict(list)
        columns = (
            "schema_name, table_name, constraint_type, expression, constraint_column_names, referenced_table,"
            " referenced_column_names"
        )
        where = "constraint_type <> 'NOT NULL'"
        for row in self._rows("duckdb_constraints", columns, "table_oid, constraint_index", where=where):
            found[row.schema_name, row.table_name].append(
                Constraint(
                    kind=row.constraint_type,
                    columns=tuple(row.constraint_column_names),
                    expression=row.expression,
                    referenced_table=row.referenced_table,
                    referenced_columns=tuple(row.referenced_column_names or ()),
                )
            )
        return found

    def views(self) -> tuple[View, ...]:
        columns = self._columns()
        rows = self._rows(
            "duckdb_views", "schema_name, view_name, comment, sql", "view_oid", where="NOT internal AND NOT temporary"
        )
        return tuple(
            View(
                schema_name=row.schema_name,
                name=row.view_name,
                comment=row.comment,
                sql=row.sql,
                column_comments={
                    column.name: column.comment
                    for column in columns[row.schema_name, row.view_name]
                    if column.comment is not None
                },
            )
            for row in rows
        )

    def indexes(self) -> tuple[Index, ...]:
        rows = self._rows(
            "duckdb_indexes", "schema_name, index_name, comment, table_name, sql", "index_oid", where="NOT is_primary"
        )
        return tuple(
            Index(
                schema_name=row.schema_name,
                name=row.index_name,
                comment=row.comment,
                table=row.table_name,
                sql=row.sql,
            )
            for row in rows
        )

    def left_out(self) -> tuple[str, ...]:
        macros = self._rows("duckdb_functions", "schema_name, function_name", "1, 2", where="NOT internal")
        names = [f"macro {row.schema_name}.{row.function_name}" for row in macros]
        known = self._con.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = 'duckdb_triggers'").fetchone()
        if known:
            triggers = self._rows("duckdb_triggers", "schema_name, trigger_name", "1, 2")
            names += [f"trigger {row.schema_name}.{row.trigger_name}" for row in triggers]
        return tuple(dict.fromkeys(names))


def _completed(column: Column, sql: str) -> Column:
    # No catalogue function of every release tells collations and which columns are generated; DuckDB's text of the
    # table does. Should this misread one, the rehearsal sees that the table made from it is another.
    name = f"(?:{re.escape(identifier(column.name))}|{re.escape(column.name)})"
    start = rf"[(,] ?{name} {re.escape(column.type)} "
    if re.search(rf"{start}GENERATED ALWAYS AS\(", sql):
        return column.model_copy(update={"default": None, "generated": _without_outer_cast(column)})
    collated = re.search(rf"{start}COLLATE ([\w.]+)", sql)
    return column.model_copy(update={"collation": collated[1]}) if collated else column


def _without_outer_cast(column: Column) -> str:
    # DuckDB wraps the expression in a cast to the column's type; written as told, every restore would add another.
    expression, cast = str(column.default), f" AS {column.type})"
    if expression.startswith("CAST(") and expression.endswith(cast):
        return expression.removeprefix("CAST(").removesuffix(cast)
    return expression


def _parents_first(tables: list[Table]) -> tuple[Table, ...]:
    by_name = {(table.schema_name, table.name): table for table in tables}
    sorter: TopologicalSorter[tuple[str, str]] = TopologicalSorter()
    for key, table in by_name.items():
        parents = {(table.schema_name, c.referenced_table) for c in table.constraints if c.referenced_table is not None}
        if key in parents:
            raise Unsupported(
                f"table {table.label} has a foreign key to itself, which Duckback does not restore yet",
                hint="Drop that constraint, or move the table to another database.",
            )
        sorter.add(key, *parents)
    try:
        return tuple(by_name[key] for key in sorter.static_order())
    except CycleError as error:
        raise Unsupported(f"foreign keys refer to one another in a circle: {error.args[1]}") from error


def _refuse_inexact(table: Table) -> None:
    for column in table.stored_columns:
        part = refused_part(parse_type(column.type))
        if part is not None:
            raise Unsupported(
                f"table {table.label}: column {column.name!r} is of type {column.type},"
                f" and Parquet would change {part.sql}",
                hint="Store it as another type (VARCHAR holds every value), or move the table to another database.",
            )
