"""Macros, with the defaults of their parameters, which no catalogue function tells.

DuckDB's refusal of a call with wrong arguments does: it lists each candidate as `name(a, b VARCHAR := 'x')`. What is
read from there is not trusted: the rehearsal makes the macro again and compares.
"""

import json
import shlex
from collections.abc import Sequence
from itertools import groupby
from types import SimpleNamespace

import duckdb

from duckback.errors import Unsupported
from duckback.model.catalog import Macro, MacroOverload, MacroParameter
from duckback.model.names import schema_names
from duckback.model.selection import Selection
from duckback.source.catalog_rows import CatalogReader
from duckback.source.engine import scalar
from duckback.source.sql import literal, qualified

_KINDS = {"macro": "scalar", "table_macro": "table"}
_COLUMNS = (
    "function_oid, schema_name, function_name, function_type, comment, parameters, parameter_types, macro_definition"
)
_CALLS = {"scalar": "SELECT {}", "table": "FROM {}"}
_WRONG_ARGUMENT = "duckback_no_such_parameter := 0"
_LIST = "Candidate macros:\n"


def read_macros(con: duckdb.DuckDBPyConnection, reader: CatalogReader, selection: Selection) -> tuple[Macro, ...]:
    """Every macro of the reader's database.

    Args:
        con: the reader's connection, whose current database it is.
        reader: of the catalogue.
        selection: those that it leaves out are not looked at.

    Raises:
        Unsupported: the defaults of one cannot be read; the message names it.
    """
    rows = reader.rows(
        "duckdb_functions", _COLUMNS, "function_oid", where="NOT internal AND macro_definition IS NOT NULL"
    )
    by_macro = groupby(rows, key=lambda row: (row.function_oid, row.function_type))
    return tuple(_macro(con, reader, list(overloads), selection) for _, overloads in by_macro)


def _macro(
    con: duckdb.DuckDBPyConnection, reader: CatalogReader, rows: list[SimpleNamespace], selection: Selection
) -> Macro:
    first, kind = rows[0], _KINDS[rows[0].function_type]
    # DuckDB tells a macro's schema by its own name alone; nested ones may share it.
    paths = [path for path in reader.schema_paths if schema_names(path)[-1] == first.schema_name]
    found = {
        path: _overloads(
            first.function_name,
            rows,
            _candidates(con, (reader.database, *schema_names(path), first.function_name), kind),
        )
        for path in paths
    }
    readable = {path: overloads for path, overloads in found.items() if overloads is not None}
    label = f"{next(iter(readable), paths[0])}.{first.function_name}"
    if len(readable) != 1 and not selection.excludes(label):
        what = f"could be in any of {', '.join(readable)}" if readable else "has defaults that cannot be read"
        raise Unsupported(
            f"macro {label} {what}",
            hint=f"Leave it out with --exclude {shlex.quote(label)}, and keep its definition elsewhere.",
        )
    path, overloads = next(iter(readable.items()), (paths[0], ()))
    return Macro.model_validate(
        {
            "schema_name": path,
            "name": first.function_name,
            "comment": first.comment,
            "kind": kind,
            "overloads": overloads,
        }
    )


def _candidates(con: duckdb.DuckDBPyConnection, path: tuple[str, ...], kind: str) -> str:
    statement = _CALLS[kind].format(f"{qualified(*path)}({_WRONG_ARGUMENT})")
    # This function tells of an error as its answer, where a failing statement would abort the transaction.
    answer = json.loads(scalar(con, f"SELECT json_serialize_plan({literal(statement)})"))
    return str(answer.get("error_message", "")).partition(_LIST)[2]


def _overloads(name: str, rows: Sequence[SimpleNamespace], text: str) -> tuple[MacroOverload, ...] | None:
    """The overloads whose signatures a text lists, in order; None where it is not about these."""
    overloads = []
    rest = text
    for row in rows:
        start, _, rest = rest.partition("(")
        if start.strip().replace('"', "") != name.replace('"', ""):
            return None
        read = _parameters(row, rest)
        if read is None:
            return None
        parameters, rest = read
        overloads.append(MacroOverload(parameters=parameters, definition=row.macro_definition))
    return tuple(overloads) if not rest.strip() else None


def _parameters(row: SimpleNamespace, text: str) -> tuple[tuple[MacroParameter, ...], str] | None:
    found: list[MacroParameter] = []
    names, types = list(row.parameters), list(row.parameter_types)
    for number, (name, of) in enumerate(zip(names, types, strict=True)):
        head = f"{name} {of}" if of else name
        if not text.startswith(head):
            return None
        text = text.removeprefix(head)
        default = None
        if text.startswith(" := "):
            following = [
                f", {other} {kind} := " if kind else f", {other} := "
                for other, kind in zip(names[number + 1 :], types[number + 1 :], strict=True)
            ]
            # Once one parameter has a default, all that follow have one.
            end = text.find(following[0]) if following else _closing(text)
            if end < 0:
                return None
            default, text = text[len(" := ") : end], text[end:]
        text = text.removeprefix(", ")
        found.append(MacroParameter(name=name, type=of, default=default))
    return (tuple(found), text[1:]) if text.startswith(")") else None


def _closing(text: str) -> int:
    """Where the bracket of the parameters closes: in the last line that is about this overload."""
    line = text.find(")\n\t")
    return line if line >= 0 else text.rfind(")")
