"""duckback pin: keep one backup, whatever the retention policy says."""

from typing import Annotated

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document
from duckback.errors import UsageError


@with_options
def pin(
    call: Call,
    backup: Annotated[str, typer.Argument(help='An id, the beginning of one, or "latest".')],
    reason: Annotated[str | None, typer.Option("--reason", help="Why; `prune` shows it.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the pin.")] = False,
) -> None:
    """Keep a backup until its pin is removed, and say why."""
    duckback = call.duckback()
    if remove:
        duckback.unpin(backup)
    elif reason is None:
        raise UsageError("a pin needs a reason", hint='Give --reason "why", or --remove to remove the pin.')
    else:
        reason = duckback.pin(backup, reason).reason
    if call.as_json:
        print_document("pin", backup=backup, pinned=not remove, reason=None if remove else reason)
    else:
        print(f"{backup} is no longer pinned" if remove else f"{backup} is pinned: {reason}")
