"""The table `backup_metadata` as DuckDB sees it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import duckdb

from duckback.errors import UsageError
from duckback.source.engine import set_session
from duckback.source.exact import exact, finite

Relation = duckdb.DuckDBPyRelation

COLUMNS: Final = {
    "id": "UUID",
    "backup_type": "VARCHAR",
    "backup_scope": "VARCHAR",
    "tenant_id": "UUID",
    "start_time": "TIMESTAMP",
    "end_time": "TIMESTAMP",
    "status": "VARCHAR",
    "backup_size_bytes": "BIGINT",
    "backup_location": "VARCHAR",
    "checksum": "VARCHAR",
    "compression": "VARCHAR",
    "encryption": "VARCHAR",
    "retention_until": "TIMESTAMP",
    "created_at": "TIMESTAMP",
}
"""Names and types, in their order; times are in UTC, without a zone, so that no session's zone changes them."""


def metadata_relation(rows: Iterable[Sequence[Any]], sql: str) -> Relation:
    """What a query says of these rows, which it knows as `backup_metadata`.

    The instance that it runs in is its own, in memory, and reads neither files nor the network.

    Args:
        rows: values in the order of COLUMNS; times are aware, in UTC.
        sql: one SELECT statement.

    Raises:
        UsageError: DuckDB does not accept the query.
    """
    con = duckdb.connect()
    set_session(con)
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    con.execute(f"CREATE TABLE backup_metadata ({columns})")
    marks = ", ".join("?" for _ in COLUMNS)
    for row in rows:
        con.execute(f"INSERT INTO backup_metadata VALUES ({marks})", [_naive(value) for value in row])
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    try:
        statements = con.extract_statements(sql)
        if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
            raise UsageError("that is not one SELECT", hint="Give one, such as FROM backup_metadata.")
        return con.sql(sql)
    except duckdb.Error as error:
        raise _refused(error) from error


def fetch(relation: Relation) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    """Names and types of the columns, and every row as JSON holds it exactly.

    Whole numbers up to 32 bits, finite floating-point ones and truth values as such; blobs as hex digits; everything
    else as DuckDB prints it.

    Raises:
        UsageError: the query fails on these rows.
    """
    columns = [(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)]
    values = [exact(position, kind) for position, (_, kind) in enumerate(columns, 1)]
    try:
        rows = relation.project(", ".join(values)).fetchall()
    except duckdb.Error as error:
        raise _refused(error) from error
    return columns, [tuple(map(finite, row)) for row in rows]


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value


def _refused(error: duckdb.Error) -> UsageError:
    return UsageError(
        f"DuckDB does not accept the query: {error}", hint=f"Columns of backup_metadata: {', '.join(COLUMNS)}."
    )
