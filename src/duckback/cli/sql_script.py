"""duckback sql-script: the statements that open a backup in a plain DuckDB shell."""

from typing import Annotated

import typer

from duckback.cli.moments import parse_moment
from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document


@with_options
def sql_script(
    call: Call,
    backup: Annotated[str | None, typer.Option("--backup", help='An id or its beginning; default: "latest".')] = None,
    at: Annotated[str | None, typer.Option("--at", help="The newest backup not after this time (RFC 3339).")] = None,
    trust_repository: Annotated[
        bool, typer.Option("--trust-repository", help="Open a backup though the ledger or a proof contradicts it.")
    ] = False,
) -> None:
    """Print statements that show a backup in place in a plain DuckDB shell: `duckback sql-script > b.sql`."""
    script = call.duckback().sql_script(backup=backup, at=parse_moment("--at", at), trust_repository=trust_repository)
    if call.as_json:
        print_document("sql-script", script=script)
        return
    print(script, end="")
