"""duckback query: SQL on what is known of backups."""

from typing import Annotated

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document, print_table


@with_options
def query(
    call: Call,
    sql: Annotated[str, typer.Argument(help="One SELECT statement in DuckDB's SQL.", show_default=False)],
    metadata: Annotated[bool, typer.Option("--metadata", help="Ask the table backup_metadata, one row a backup.")],  # noqa: ARG001 -- required; says what is asked
) -> None:
    """Ask the table backup_metadata, made from manifests and events: `SELECT … FROM backup_metadata`."""
    from duckback.source.metadata import fetch  # noqa: PLC0415 -- it imports DuckDB

    columns, rows = fetch(call.duckback().backup_metadata(sql))
    if call.as_json:
        print_document("query", columns=[{"name": name, "type": kind} for name, kind in columns], rows=rows)
        return
    print_table([name for name, _ in columns], [["" if value is None else str(value) for value in row] for row in rows])
