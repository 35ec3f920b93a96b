"""duckback ledger: the verbs of the ledger."""

import typer

from duckback.cli.ledger_list import list_events
from duckback.cli.ledger_show import show_event
from duckback.cli.ledger_sync import sync
from duckback.cli.ledger_verify import verify

ledger_app = typer.Typer(help="The append-only record of backup events.", no_args_is_help=True)
ledger_app.command("list")(list_events)
ledger_app.command("show")(show_event)
ledger_app.command("verify")(verify)
ledger_app.command("sync")(sync)
