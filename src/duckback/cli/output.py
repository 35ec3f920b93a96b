"""What verbs print: one JSON document, or lines and tables for people; everything else goes to stderr."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from rich.filesize import decimal

from duckback.errors import DuckbackError
from duckback.model.manifest import TableBackup


def document(verb: str, **fields: Any) -> dict[str, Any]:
    """The JSON document of a verb: its schema, then its fields."""
    return {"schema": f"duckback.{verb}/1", **fields}


def print_document(verb: str, **fields: Any) -> None:
    """Print it as the one document on standard output."""
    print(json.dumps(document(verb, **fields), indent=2, default=str))


def stream_document(verb: str, last: str, items: Iterable[Any], **fields: Any) -> None:
    """Print a document whose last field is a list of any length, which is never held as a whole."""
    beginning = json.dumps(document(verb, **fields), default=str).removesuffix("}")
    print(f"{beginning}, {json.dumps(last)}: [", end="")
    separator = "\n"
    for item in items:
        print(separator + json.dumps(item, default=str), end="")
        separator = ",\n"
    print("\n]}")


def print_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[str] = (),
    style: Callable[[Sequence[str]], str] = lambda _: "",
) -> None:
    """A table on a terminal, tab-separated lines elsewhere.

    Args:
        headings: of the columns.
        rows: their cells.
        numbers: the headings of columns to be aligned at the right.
        style: of a row, as rich has it.
    """
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415 -- a tenth of what a command imports
    from rich.markup import escape  # noqa: PLC0415 -- as above
    from rich.table import Table  # noqa: PLC0415 -- as above

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left")
    for row in rows:
        table.add_row(*map(escape, row), style=style(row))
    Console().print(table)


def complain(error: DuckbackError) -> None:
    """Say on standard error what happened and what to do."""
    sys.stderr.write(f"duckback: {error.message}\n")
    for note in getattr(error, "__notes__", []):
        sys.stderr.write(f"duckback: {note}\n")
    if error.hint:
        sys.stderr.write(f"  {error.hint}\n")


def notice(text: str) -> None:
    """Say on standard error what is worth knowing though nothing failed."""
    # A name in a database may hold what a terminal takes for a command.
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    sys.stderr.write(f"duckback: {shown}\n")


def table_label(table: TableBackup) -> str:
    """`schema.name`."""
    return f"{table.schema_name}.{table.name}"


def size(count: int) -> str:
    """Bytes as people read them."""
    return decimal(count)
