"""The verbs, and what happens when one of them fails."""

import json
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from duckback.cli.backup import backup
from duckback.cli.config import config_app
from duckback.cli.demo import demo
from duckback.cli.list import list_backups
from duckback.cli.output import complain, document
from duckback.cli.restore import restore
from duckback.cli.show import show
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
app.command("backup")(backup)
app.command("list")(list_backups)
app.command("show")(show)
app.command("restore")(restore)
app.command("verify")(verify)
app.add_typer(config_app, name="config")


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns its exit code. Only a defect of ours prints a traceback."""
    as_json = "--json" in arguments
    try:
        code = app(list(arguments), standalone_mode=False)
        return code if isinstance(code, int) else 0
    except DuckbackError as error:
        return _failed(error, as_json)
    except TyperException as error:
        message = error.format_message() or "no verb is given"
        return _failed(UsageError(message, hint="`duckback --help` shows the verbs."), as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _failed(Interrupted("interrupted; nothing half-done is visible"), as_json)
    except OSError as error:
        hint = "Check the path, the space that is free there, and what this user may do."
        return _failed(DuckbackError(f"the operating system refused: {error}", hint=hint), as_json)
    except Exception as error:  # noqa: BLE001 -- the last resort: what gets here is a defect
        traceback.print_exc()
        return _failed(
            DuckbackError(
                f"internal error: {error!r}", hint="This is a defect: please report it with the lines above."
            ),
            as_json,
        )


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
