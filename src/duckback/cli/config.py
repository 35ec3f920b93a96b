"""duckback config: what is in force, and why."""

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document, print_table
from duckback.config.load import flag_name
from duckback.config.options import flat

config_app = typer.Typer(help="The configuration.", no_args_is_help=True)


@config_app.command("show")
@with_options
def show(call: Call) -> None:
    """Show every option: its value, and where the value comes from."""
    values = flat(call.loaded.options.model_dump(mode="json"))
    origins = call.loaded.origins
    if call.as_json:
        options = {name: {"value": value, "origin": origins[name]} for name, value in values.items()}
        print_document("config", options=options)
        return
    rows = [(flag_name(name), "" if value is None else str(value), origins[name]) for name, value in values.items()]
    print_table(("option", "value", "from"), rows)
