"""DuckDB's `duckdb_*()` functions as objects of the catalogue; rows come in the order in which objects were made."""

from collections import defaultdict
from types import SimpleNamespace

import duckdb

from duckback.model.catalog import Column, Constraint, Index, Schema, Sequence, Table, Trigger, UserType, View
from duckback.model.names import schema_names, schema_path
from duckback.source.catalog_columns import completed
from duckback.source.sequences import as_loaded
from duckback.source.sql import qualified

_USER_TYPES = "NOT internal AND type_name NOT IN (SELECT type_name FROM duckdb_types() WHERE internal)"


class CatalogReader:
    """The queries, one a kind of object.

    Args:
        con: a connection inside the snapshot's transaction, whose current database it is.
        database: the name under which the database is attached.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, database: str) -> None:
        self._con = con
        self.database = database
        self._schemas = self._schema_rows()
        self._columns = self._column_rows()

    @property
    def schema_paths(self) -> list[str]:
        """The path of every schema, outer ones first."""
        return [path for path, _ in self._schemas.values()]

    def rows(self, function: str, columns: str, order: str, *, where: str = "true") -> list[SimpleNamespace]:
        """Rows of a catalogue function about this database; `schema_oid`, where asked for, becomes `schema_name`."""
        query = f"SELECT {columns} FROM {function}() WHERE database_name = ? AND ({where}) ORDER BY {order}"
        names = [name.strip() for name in columns.split(",")]
        found = [
            SimpleNamespace(**dict(zip(names, row, strict=True)))
            for row in self._con.execute(query, [self.database]).fetchall()
        ]
        for row in found:
            if "schema_oid" in names:
                row.schema_name = self._schemas[row.schema_oid][0]
        return found

    def has(self, function: str) -> bool:
        """Whether this DuckDB has a function."""
        query = "SELECT 1 FROM duckdb_functions() WHERE function_name = ?"
        return bool(self._con.execute(query, [function]).fetchall())

    def schemas(self) -> tuple[Schema, ...]:
        """Schemas, outer ones first."""
        return tuple(Schema(name=path, comment=comment) for path, comment in self._schemas.values())

    def _schema_rows(self) -> dict[int, tuple[str, str | None]]:
        described = self._con.execute("SELECT * FROM duckdb_schemas() LIMIT 0").description or []
        parent = "parent_schema_oid" if "parent_schema_oid" in {name for name, *_ in described} else "NULL"
        query = (
            f"SELECT oid, schema_name, comment, {parent} FROM duckdb_schemas()"
            " WHERE database_name = ? AND (NOT internal OR schema_name = 'main') ORDER BY oid"
        )
        names: dict[int, tuple[str, ...]] = {}
        found: dict[int, tuple[str, str | None]] = {}
        for oid, name, comment, outer in self._con.execute(query, [self.database]).fetchall():
            names[oid] = (*names.get(outer, ()), name)
            found[oid] = (schema_path(names[oid]), comment)
        return found

    def types(self) -> tuple[UserType, ...]:
        """Named types, each with the text of what it stands for."""
        rows = self.rows("duckdb_types", "schema_oid, type_name, comment", "type_oid", where=_USER_TYPES)
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
        path = qualified(self.database, *schema_names(schema), name)
        found = self._con.execute(f"SELECT typeof(NULL::{path})").fetchone()
        return str(found[0]) if found else ""

    def sequences(self) -> tuple[Sequence, ...]:
        """Sequences at the positions that DuckDB tells (see `duckback.source.sequences`)."""
        columns = (
            "schema_oid, sequence_name, comment, start_value, min_value, max_value, increment_by, cycle, last_value"
        )
        told = (
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
            for row in self.rows("duckdb_sequences", columns, "sequence_oid", where="NOT temporary")
        )
        query = "SELECT path FROM duckdb_databases() WHERE database_name = ?"
        ((path,),) = self._con.execute(query, [self.database]).fetchall()
        return tuple(told if path is None else map(as_loaded, told))

    def tables(self) -> list[Table]:
        """Tables with their columns and constraints."""
        constraints = self._constraints()
        rows = self.rows(
            "duckdb_tables", "schema_oid, table_oid, table_name, comment, sql", "table_oid", where=_PERMANENT
        )
        return [
            Table(
                schema_name=row.schema_name,
                name=row.table_name,
                comment=row.comment,
                columns=tuple(completed(column, row.sql) for column in self._columns[row.table_oid]),
                constraints=tuple(constraints[row.table_oid]),
                sql=row.sql,
            )
            for row in rows
        ]

    def _column_rows(self) -> dict[int, list[Column]]:
        found: dict[int, list[Column]] = defaultdict(list)
        columns = "table_oid, column_name, data_type, is_nullable, column_default, comment"
        for row in self.rows("duckdb_columns", columns, "table_oid, column_index"):
            found[row.table_oid].append(
                Column(
                    name=row.column_name,
                    type=row.data_type,
                    not_null=not row.is_nullable,
                    default=row.column_default,
                    comment=row.comment,
                )
            )
        return found

    def _constraints(self) -> dict[int, list[Constraint]]:
        found: dict[int, list[Constraint]] = defaultdict(list)
        columns = (
            "table_oid, constraint_type, expression, constraint_column_names, referenced_table, referenced_column_names"
        )
        where = "constraint_type <> 'NOT NULL'"
        for row in self.rows("duckdb_constraints", columns, "table_oid, constraint_index", where=where):
            found[row.table_oid].append(
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
        """Views, those that cannot be bound any more too."""
        rows = self.rows("duckdb_views", "schema_oid, view_oid, view_name, comment, sql", "view_oid", where=_PERMANENT)
        return tuple(
            View(
                schema_name=row.schema_name,
                name=row.view_name,
                comment=row.comment,
                sql=row.sql,
                column_comments={
                    column.name: column.comment for column in self._columns[row.view_oid] if column.comment is not None
                },
            )
            for row in rows
        )

    def indexes(self) -> tuple[Index, ...]:
        """Indexes that CREATE INDEX made."""
        columns = "schema_oid, index_name, comment, table_name, sql"
        rows = self.rows("duckdb_indexes", columns, "index_oid", where="NOT is_primary")
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

    def triggers(self) -> tuple[Trigger, ...]:
        """Triggers; none before DuckDB 2."""
        if not self.has("duckdb_triggers"):
            return ()
        columns = "schema_oid, trigger_name, table_name, sql"
        rows = self.rows("duckdb_triggers", columns, "trigger_oid", where="NOT temporary")
        return tuple(
            Trigger(schema_name=row.schema_name, name=row.trigger_name, table=row.table_name, sql=row.sql)
            for row in rows
        )


_PERMANENT = "NOT internal AND NOT temporary"
