"""The verbs, and what happens when one of them fails."""

import json
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from duckback import interrupts
from duckback.cli.backup import backup
from duckback.cli.check import check, unknown
from duckback.cli.config import config_app
from duckback.cli.daemon import daemon
from duckback.cli.demo import demo
from duckback.cli.init import init
from duckback.cli.ledger import ledger_app
from duckback.cli.list import list_backups
from duckback.cli.output import complain, document
from duckback.cli.pin import pin
from duckback.cli.prune import prune
from duckback.cli.query import query
from duckback.cli.restore import restore
from duckback.cli.show import show
from duckback.cli.sql_script import sql_script
from duckback.cli.unlock import unlock
from duckback.cli.verify import verify
from duckback.errors import DuckbackError, Interrupted, UsageError

app = typer.Typer(
    name="duckback",
    help="Scheduled, proven, queryable backups of DuckDB databases.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo)
app.command("init")(init)
app.command("backup")(backup)
app.command("list")(list_backups)
app.command("show")(show)
app.command("restore")(restore)
app.command("verify")(verify)
app.command("prune")(prune)
app.command("pin")(pin)
app.command("unlock")(unlock)
app.command("query")(query)
app.command("sql-script")(sql_script)
app.command("check")(check)
app.command("daemon")(daemon)
app.add_typer(ledger_app, name="ledger")
app.add_typer(config_app, name="config")


_INTERRUPTED = Interrupted("interrupted; nothing half-done is visible")


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns its exit code. Only a defect of ours prints a traceback."""
    as_json = "--json" in arguments
    try:
        code = app(list(arguments), standalone_mode=False)
        if code == Interrupted.exit_code:
            return _failed(_INTERRUPTED, as_json)  # typer answers Ctrl-C with this code and no word
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- every error gets its words and its exit code
        failure = _ours(error)
        if failure.exit_code != Interrupted.exit_code and next(iter(arguments), None) == "check":
            complain(failure)
            return unknown(failure, as_json=as_json)
        return _failed(failure, as_json)
    return code if isinstance(code, int) else 0


def _ours(error: BaseException) -> DuckbackError:
    if interrupts.have_come():
        return _INTERRUPTED
    match error:
        case DuckbackError():
            return error
        case TyperException():
            return UsageError(error.format_message() or "no verb is given", hint="`duckback --help` shows the verbs.")
        case KeyboardInterrupt() | typer.Abort():
            return _INTERRUPTED
        case OSError():
            hint = "Check the path, the space that is free there, and what this user may do."
            return DuckbackError(f"the operating system refused: {error}", hint=hint)
        case _:
            traceback.print_exception(error)
            hint = "This is a defect of Duckback: please report it with the lines above."
            return DuckbackError(f"internal error: {error!r}", hint=hint)


def _failed(error: DuckbackError, as_json: bool) -> int:
    complain(error)
    if as_json:
        print(
            json.dumps(
                document("error", error=type(error).__name__, message=error.message, hint=error.hint)
                | {"exit_code": error.exit_code}
            )
        )
    return error.exit_code
