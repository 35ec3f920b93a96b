"""Tables that Parquet cannot hold exactly, as small DuckDB files beside their Parquet."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from duckback.errors import IntegrityError, Unsupported
from duckback.model.catalog import Table
from duckback.source.engine import KEEPS_ONE_ZERO, scalar
from duckback.source.fingerprint import fingerprint_of
from duckback.source.sql import identifier, literal, qualified
from duckback.source.types import parse_type

_OLDEST = "v1.5.0"
"""The storage version of the oldest release that Duckback supports, so that each of them can read the file."""

_NEWER = {"tuple": "v2.0.0", "timestamptz_ns": "v2.0.0"}
"""Kinds of types that need another one."""

_TABLE = "rows"


class NativeCopy:
    """A table's way into a DuckDB file of its own.

    A transaction may write to one attached database only, and the snapshot is one transaction for all tables: so the
    rows wait in a temporary table until it is over.
    """

    def __init__(self, path: Path, table: Table) -> None:
        self._path = path
        self._label = table.label
        self._columns = table.stored_columns
        # The connection may be the caller's, who has other things attached.
        self._name = f"duckback_{path.name.replace('.', '_')}"
        self._waiting = qualified("temp", "main", self._name)

    @property
    def file_name(self) -> str:
        """Of the file."""
        return self._path.name

    def take(self, con: duckdb.DuckDBPyConnection, relation: str) -> None:
        """Copy the columns of a relation, in its order, inside the snapshot's transaction."""
        values = ", ".join(identifier(column.name) for column in self._columns)
        con.execute(f"CREATE TEMPORARY TABLE {self._waiting} AS SELECT {values} FROM {relation}")

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        """Write the file, outside any transaction.

        Raises:
            Unsupported: this DuckDB does not keep the sign of some zeros in it.
        """
        kinds = {part.id for column in self._columns for part in parse_type(column.type).parts()}
        options = f"STORAGE_VERSION {literal(max([_OLDEST, *(_NEWER[kind] for kind in kinds & _NEWER.keys())]))}"
        con.execute(f"ATTACH {literal(str(self._path))} AS {identifier(self._name)} ({options})")
        try:
            written = qualified(self._name, "main", _TABLE)
            con.execute(f"CREATE TABLE {written} AS FROM {self._waiting}")
            con.execute(f"CHECKPOINT {identifier(self._name)}")
            if KEEPS_ONE_ZERO:
                self._refuse_lost_signs(con, written)
        finally:
            con.execute(f"DETACH {identifier(self._name)}")
        con.execute(f"DROP TABLE {self._waiting}")

    def _refuse_lost_signs(self, con: duckdb.DuckDBPyConnection, written: str) -> None:
        signed, unsigned = (
            [fingerprint_of(con, rows, self._columns, zeros_alike=alike) for rows in (self._waiting, written)]
            for alike in (False, True)
        )
        if signed[0] != signed[1] and unsigned[0] == unsigned[1]:
            raise Unsupported(
                f"table {self._label} has a VARIANT, so its rows go into a DuckDB file, and DuckDB {duckdb.__version__}"
                " does not store the sign of every zero where 0.0 and -0.0 stand among no other values",
                hint=f"Back it up with DuckDB 2, or leave it out with --exclude {shlex.quote(self._label)}.",
            )


@contextmanager
def native_rows(con: duckdb.DuckDBPyConnection, path: Path, label: str) -> Iterator[str]:
    """The relation with the rows of a native file, as of `attach_native`, for as long as it is needed."""
    name = "duckback_native"
    relation = attach_native(con, path, label, name)
    try:
        yield relation
    finally:
        con.execute(f"DETACH {name}")


def attach_native(con: duckdb.DuckDBPyConnection, path: Path | str, label: str, name: str) -> str:
    """Attach a native file, and return the relation with its rows.

    Args:
        con: a connection of our own.
        path: the file; of whom is not known, so nothing in it but a plain table is read.
        label: of the table, for errors.
        name: to attach it by.

    Raises:
        IntegrityError: it is no such file.
    """
    try:
        con.execute(statement_to_attach(path, name))
    except duckdb.Error as error:
        raise IntegrityError(f"the native file of table {label} is no DuckDB database: {error}") from error
    query = f"SELECT count(*) FROM duckdb_tables() WHERE database_name = {literal(name)} AND table_name = '{_TABLE}'"
    if scalar(con, query) != 1:
        con.execute(f"DETACH {identifier(name)}")
        raise IntegrityError(f"the native file of table {label} does not hold its rows")
    return relation_of_native(name)


def statement_to_attach(path: Path | str, name: str) -> str:
    """The statement that attaches a native file by a name."""
    return f"ATTACH {literal(str(path))} AS {identifier(name)} (READ_ONLY)"


def relation_of_native(name: str) -> str:
    """The relation with the rows of a native file that is attached by that name."""
    return qualified(name, "main", _TABLE)
