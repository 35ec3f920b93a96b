"""Asking a backup in place: one SELECT over views of its objects, and the answer in a file."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

from duckback.errors import SourceError, UsageError
from duckback.model.catalog import Table
from duckback.model.column_types import Storage, storages
from duckback.model.mentioned import mentioned
from duckback.source.encoding import stored
from duckback.source.engine import connect, create_in_memory, name_in_sql, shut_in_with, translated
from duckback.source.exact import exact, finite
from duckback.source.jobs import Caller, QueryBackup
from duckback.source.opened import Tables, create_catalog
from duckback.source.outcome import Form, Outcome
from duckback.source.remote import RemoteFiles, address_of
from duckback.source.sql import identifier, literal
from duckback.source.types import parse_type
from duckback.source.views import NOT_OPEN
from duckback.store.registry import open_store

_LOGS = ("", ".wal", ".wal.checkpoint", ".wal.recovery")
_AT_ONCE = 1024
_FAULTS_OF_THE_QUERY = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.PermissionException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.NotImplementedException,
    duckdb.SyntaxException,
    duckdb.TypeMismatchException,
    duckdb.ConstraintException,
)


def query_backup(job: QueryBackup, caller: Caller) -> Outcome:
    """Open a backup's catalogue, run one SELECT on it, write the rows.

    Only the tables whose names come up are opened, and of their objects only the parts that the query needs are read.
    Whether an object is the one that was backed up is the caller's to say, who is asked before it is opened.

    Args:
        job: what to do.
        caller: is asked to fetch the keys of every table that is opened; what it answers is read instead of the store.

    Raises:
        UsageError: the query is not one SELECT, or does not fit the backup.
        IntegrityError: an object is not there, or not the one that was backed up.
        StoreError: the store does not give its bytes.
        SourceError: DuckDB cannot read the objects, or lacks memory or disk.
    """
    manifest = job.manifest
    catalog = manifest.catalog
    sizes = {ref.key: ref.size for ref in manifest.objects}
    with connect(job.resources) as con:
        remote = RemoteFiles(open_store(job.store.url, job.store.s3), sizes) if not job.local else None
        if remote is not None:
            con.register_filesystem(remote)
        create_in_memory(con, name_in_sql(catalog.name, catalog.schema_names))
        shut_in_with(con, _reachable(job), [job.answer.parent])
        deferred = create_catalog(con, catalog, lambda _: None)
        tables = Tables(con, manifest)

        def show(wanted: Iterable[Table]) -> None:
            wanted = tuple(wanted)
            keys = [ref.key for rows in tables.of(wanted) for ref in (*rows.objects, *rows.removed, rows.native) if ref]
            found = caller.fetch(keys)
            tables.open(wanted, {key: found.get(key, address_of(key)) for key in keys})

        missing = [f"{item.kind} {item.label} ({item.reason})" for item in deferred]
        try:
            show(mentioned(catalog, job.sql))
            try:
                return _answer(con, job.sql, job.form, job.answer)
            except duckdb.Error as error:
                if NOT_OPEN not in str(error):
                    raise
            # The query has put a name together from pieces.
            show(catalog.tables)
            return _answer(con, job.sql, job.form, job.answer)
        except (duckdb.Error, SourceError) as error:
            if remote is not None and remote.failure is not None:
                raise remote.failure from error
            if isinstance(error, _FAULTS_OF_THE_QUERY):
                raise _refused(error, missing) from error
            with translated("the backup's objects"):
                raise


def _reachable(job: QueryBackup) -> list[str]:
    if not job.local:
        return [address_of(ref.key) for ref in job.manifest.objects]
    native = {rows.native.key for rows in job.manifest.tables if rows.native is not None}
    return [f"{path}{log}" for key, path in job.local.items() for log in (_LOGS if key in native else ("",))]


def _refused(error: duckdb.Error, missing: list[str]) -> UsageError:
    hint = f"Not in the backup as it is opened here: {', '.join(missing)}." if missing else ""
    return UsageError(
        f"DuckDB does not accept the query: {error}", hint=hint or "`SHOW ALL TABLES` shows what is there."
    )


def _answer(con: duckdb.DuckDBPyConnection, sql: str, form: Form, path: Path) -> Outcome:
    text = sql.strip().rstrip(";")
    if [one.type for one in con.extract_statements(text)] != [duckdb.StatementType.SELECT]:
        raise UsageError("that is not one SELECT", hint="Give one, such as FROM people LIMIT 10.")
    asked = con.sql(text)
    columns = tuple((name, str(kind)) for name, kind in zip(asked.columns, asked.types, strict=True))
    path.unlink(missing_ok=True)
    return _WRITERS[form](con, text, columns, path)


_Columns = tuple[tuple[str, str], ...]


def _write_rows(con: duckdb.DuckDBPyConnection, sql: str, columns: _Columns, path: Path) -> Outcome:
    values = ", ".join(exact(position, kind) for position, (_, kind) in enumerate(columns, 1))
    con.execute(f"SELECT {values} FROM (\n{sql}\n)")
    with path.open("w", encoding="utf-8") as file:
        while rows := con.fetchmany(_AT_ONCE):
            file.writelines(f"{json.dumps([finite(value) for value in row], ensure_ascii=False)}\n" for row in rows)
    return Outcome(columns=columns)


def _write_csv(con: duckdb.DuckDBPyConnection, sql: str, columns: _Columns, path: Path) -> Outcome:
    con.execute(f"COPY (FROM (\n{sql}\n)) TO {literal(str(path))} (FORMAT csv, HEADER true)").fetchall()
    return Outcome(columns=columns)


def _write_parquet(con: duckdb.DuckDBPyConnection, sql: str, columns: _Columns, path: Path) -> Outcome:
    types = [(name, parse_type(kind)) for name, kind in columns]
    changed = {name: how for name, of in types if (how := storages(of)) != Storage.AS_IS}
    # Two columns may have one name.
    numbers = [f"duckback_{number}" for number in range(len(columns))]
    parts = zip(numbers, types, strict=True)
    values = ", ".join(f"{stored(number, of)} AS {identifier(name)}" for number, (name, of) in parts)
    answer = f"(\n{sql}\n) AS answer ({', '.join(numbers)})"
    con.execute(
        f"COPY (SELECT {values} FROM {answer}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()
    return Outcome(columns=columns, changed=changed)


_WRITERS: dict[Form, Callable[[duckdb.DuckDBPyConnection, str, _Columns, Path], Outcome]] = {
    "rows": _write_rows,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
