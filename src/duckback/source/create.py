"""Making the objects of a catalogue in an empty database, in whatever order they need one another."""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import duckdb

from duckback.errors import IntegrityError, SourceError
from duckback.model.catalog import Catalog, Deferred, SchemaObject
from duckback.source import ddl
from duckback.source.deferred import is_external, reason_of, with_dependents
from duckback.source.engine import translated


@dataclass(frozen=True)
class _Wanted:
    """An object to make; what holds rows must succeed, the rest may be deferred."""

    kind: str
    item: SchemaObject
    statement: str
    is_vital: bool = False


Made = Callable[[str], None]
"""Hears each statement that has made something."""


def _unheard(_statement: str) -> None:
    return


def create_empty(con: duckdb.DuckDBPyConnection, catalog: Catalog, made: Made = _unheard) -> list[Deferred]:
    """Schemas, types, sequences at their position, macros, tables without rows, and views.

    Macros, tables and views may name one another in any order, which no catalogue function tells: what fails is
    tried again for as long as anything else succeeds.

    Args:
        con: whose current database is empty.
        catalog: what to make.
        made: hears the statements that made it, in their order.

    Returns:
        The macros and views that cannot be made.

    Raises:
        SourceError: a schema, type, sequence or table cannot be made.
        IntegrityError: the catalogue holds what is not one CREATE statement.
    """
    for statement in (*ddl.create_schemas(catalog), *ddl.create_types(catalog)):
        create_one(con, statement)
        made(statement)
    _create_sequences(con, catalog, made)
    wanted = [_Wanted("macro", macro, ddl.create_macro(macro)) for macro in catalog.macros]
    wanted += [_Wanted("table", table, ddl.create_table(table), is_vital=True) for table in catalog.tables]
    wanted += [_Wanted("view", view, view.sql) for view in catalog.views]
    return _create_in_some_order(con, wanted, made)


def create_on_rows(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> list[Deferred]:
    """Indexes and triggers, once the rows are in; returns those that cannot be made."""
    wanted = [_Wanted("index", index, index.sql) for index in catalog.indexes]
    wanted += [_Wanted("trigger", trigger, trigger.sql) for trigger in catalog.triggers]
    return _create_in_some_order(con, wanted)


def create_again(con: duckdb.DuckDBPyConnection, deferred: Iterable[Deferred]) -> list[Deferred]:
    """Try deferred objects once more, on a connection that may do more; returns those that still fail."""
    waiting = list(deferred)
    while waiting:
        failed = [
            item.model_copy(update={"reason": reason_of(error), "is_external": False})
            for item in waiting
            if (error := _failure_of_all(con, item.statements)) is not None
        ]
        if len(failed) == len(waiting):
            return failed
        waiting = failed
    return []


def _failure_of_all(con: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> duckdb.Error | None:
    con.execute("BEGIN TRANSACTION")
    try:
        for statement in statements:
            con.execute(statement)
    except duckdb.Error as error:
        con.execute("ROLLBACK")
        return error
    con.execute("COMMIT")
    return None


def set_comments(con: duckdb.DuckDBPyConnection, catalog: Catalog, deferred: Sequence[Deferred]) -> None:
    """The comments on everything that was made."""
    missing = {(item.kind, item.label) for item in deferred}
    for kind, label, statement in ddl.comments(catalog):
        if (kind, label) not in missing:
            with translated(statement):
                con.execute(statement)


def _create_sequences(con: duckdb.DuckDBPyConnection, catalog: Catalog, made: Made) -> None:
    has_setval = bool(con.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = 'setval'").fetchall())
    for sequence in catalog.sequences:
        statement = ddl.create_sequence(sequence, from_its_start=has_setval)
        create_one(con, statement)
        made(statement)
        position = ddl.set_position(sequence, has_setval=has_setval)
        if position is not None:
            with translated(position):
                con.execute(position).fetchall()
            made(position)


def _create_in_some_order(
    con: duckdb.DuckDBPyConnection, wanted: list[_Wanted], made: Made = _unheard
) -> list[Deferred]:
    waiting = wanted
    while waiting:
        failures = [(one, error) for one in waiting if (error := _failure(con, one, made)) is not None]
        if len(failures) == len(waiting):
            vital = next(((one, error) for one, error in failures if one.is_vital), None)
            if vital is not None:
                label = vital[0].item.label
                raise SourceError(
                    f"table {label} cannot be created: {reason_of(vital[1])}",
                    hint=f"Leave it out with --exclude {shlex.quote(label)}.",
                ) from vital[1]
            return with_dependents([_deferred(one, error) for one, error in failures])
        waiting = [one for one, _ in failures]
    return []


def _failure(con: duckdb.DuckDBPyConnection, one: _Wanted, made: Made) -> duckdb.Error | None:
    try:
        create_one(con, one.statement, one.kind)
    except SourceError as error:
        if isinstance(error.__cause__, duckdb.Error):
            return error.__cause__
        raise
    made(one.statement)
    return None


def _deferred(one: _Wanted, error: duckdb.Error) -> Deferred:
    return Deferred(
        kind=one.kind,
        label=one.item.label,
        statements=(one.statement,),
        reason=reason_of(error),
        is_external=is_external(error),
    )


_FORMS = {
    "view": re.compile(r"CREATE (SECURE |RECURSIVE )*VIEW "),
    "index": re.compile(r"CREATE (UNIQUE )?INDEX "),
    "trigger": re.compile(r"CREATE TRIGGER "),
}


def create_one(con: duckdb.DuckDBPyConnection, statement: str, kind: str = "") -> None:
    """Run the one CREATE statement of a text that is not trusted.

    Args:
        con: an instance that is shut in.
        statement: the text.
        kind: "view", "index" or "trigger", where the statement must make one of these.

    Raises:
        IntegrityError: it is something else.
        SourceError: DuckDB refuses it; its error is the cause.
    """
    refuse_unless_one_create(con, statement, kind)
    with translated(statement):
        con.execute(statement)


def refuse_unless_one_create(con: duckdb.DuckDBPyConnection, statement: str, kind: str = "") -> None:
    """Refuse a text that is not the one statement that `create_one` would run; it is parsed, and not run."""
    # A catalogue may come from a manifest that somebody forged: one CREATE a text, and nothing behind it.
    if kind in _FORMS and not _FORMS[kind].match(statement):
        raise IntegrityError(f"not the statement that creates one {kind}: {statement[:200]!r}")
    with translated(statement):
        parsed = con.extract_statements(statement)
    if [item.type for item in parsed] != [duckdb.StatementType.CREATE]:
        raise IntegrityError(f"not one CREATE statement: {statement[:200]!r}")
