"""duckback query: SQL on a backup in place, or on what is known of backups."""

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from duckback.api import Answer
from duckback.cli.moments import parse_moment
from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document, print_table, stream_document
from duckback.errors import UsageError
from duckback.source.outcome import Form

_OUT = Path("-")


@with_options
def query(
    call: Call,
    sql: Annotated[str, typer.Argument(help="One SELECT statement in DuckDB's SQL.", show_default=False)],
    backup: Annotated[str | None, typer.Option("--backup", help='An id or its beginning; default: "latest".')] = None,
    at: Annotated[str | None, typer.Option("--at", help="The newest backup not after this time (RFC 3339).")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="The rows as CSV on standard output.")] = False,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", help="The rows as Parquet in this new file; -: on standard output.")
    ] = None,
    metadata: Annotated[
        bool, typer.Option("--metadata", help="Ask the table backup_metadata instead, one row a backup.")
    ] = False,
    trust_repository: Annotated[
        bool, typer.Option("--trust-repository", help="Ask a backup though the ledger or a proof contradicts it.")
    ] = False,
) -> None:
    """Ask a backup in place: its tables and views are called as in the database, and only what is needed is read."""
    form = _form(call, csv=csv, parquet=parquet)
    if metadata:
        if form != "rows" or backup or at:
            raise UsageError("--metadata goes with none of --backup, --at, --csv and --parquet", hint="Leave them out.")
        _ask_metadata(call, sql)
        return
    asking = call.duckback().query(
        sql, backup=backup, at=parse_moment("--at", at), form=form, trust_repository=trust_repository
    )
    with asking as answer:
        if parquet is not None:
            _hand_over(answer, parquet)
        elif csv:
            with answer.path.open(encoding="utf-8", newline="") as file:
                shutil.copyfileobj(file, sys.stdout)
        else:
            _show(call, answer)


def _form(call: Call, *, csv: bool, parquet: Path | None) -> Form:
    if [call.as_json, csv, parquet is not None].count(True) > 1:
        raise UsageError("--json, --csv and --parquet exclude one another", hint="Give one of them.")
    if parquet is None:
        return "csv" if csv else "rows"
    if parquet == _OUT and sys.stdout.isatty():
        raise UsageError("Parquet is nothing for a terminal", hint="Give --parquet FILE, or redirect the output.")
    if parquet != _OUT and parquet.exists():
        raise UsageError(f"{parquet} exists", hint="Give the path of a new file.")
    return "parquet"


def _ask_metadata(call: Call, sql: str) -> None:
    from duckback.source.metadata import fetch  # noqa: PLC0415 -- it imports DuckDB

    columns, rows = fetch(call.duckback().backup_metadata(sql))
    if call.as_json:
        print_document("query", columns=_columns(columns), rows=rows)
        return
    print_table([name for name, _ in columns], map(_cells, rows))


def _show(call: Call, answer: Answer) -> None:
    if call.as_json:
        stream_document("query", "rows", answer.rows(), columns=_columns(answer.outcome.columns))
        return
    print_table([name for name, _ in answer.outcome.columns], map(_cells, answer.rows()))


def _columns(columns: Any) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in columns]


def _cells(row: Any) -> list[str]:
    return ["" if value is None else str(value) for value in row]


def _hand_over(answer: Answer, target: Path) -> None:
    for column, how in answer.outcome.changed.items():
        notice(f"column {column} is stored {how}; docs/fidelity.md says what that means")
    if target == _OUT:
        with answer.path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        return
    try:
        with target.open("xb") as new:
            try:
                with answer.path.open("rb") as file:
                    shutil.copyfileobj(file, new)
            except BaseException:
                target.unlink()
                raise
    except FileExistsError as error:
        raise UsageError(f"{target} exists", hint="Give the path of a new file.") from error
