"""duckback ledger list: what happened to backups, in order."""

from typing import Annotated
from uuid import UUID

import typer

from duckback.audit.view import Listed
from duckback.cli.moments import parse_moment
from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document, print_table, size
from duckback.ledger.deliveries import Backlog
from duckback.model.events import EventKind


@with_options
def list_events(
    call: Call,
    event: Annotated[EventKind | None, typer.Option("--event", help="Only events of this kind.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only recorded at or after this time.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Only recorded before this time.")] = None,
) -> None:
    """List the events that this host's ledger holds, oldest first: of --repo and --name, or of all."""
    ledger = call.ledger()
    start, end = parse_moment("--since", since), parse_moment("--until", until)
    found = list(ledger.entries(kind=event, since=start, until=end))
    backlog = ledger.backlog()
    if call.as_json:
        events = [as_record(one) for one in found]
        waiting = {"undelivered": backlog.waiting, "parked": backlog.parked}
        print_document("ledger-list", tigerbeetle=ledger.tigerbeetle, **waiting, events=events)
        return
    headings = ("recorded (UTC)", "event", "name", "backup", "amount", "state", "details")
    print_table(headings, [_row(one) for one in found])
    tell(backlog)


def tell(backlog: Backlog) -> None:
    """Say what TigerBeetle does not hold."""
    if backlog.waiting and backlog.oldest is not None:
        notice(f"events not delivered yet: {backlog.waiting}, the oldest of {backlog.oldest:%Y-%m-%d %H:%M:%S} UTC")
    if backlog.parked:
        notice(f"events that TigerBeetle refused: {backlog.parked}; `duckback ledger sync` tries them again")


def as_record(one: Listed) -> dict[str, object]:
    """An event as `ledger list --json` shows it."""
    entry, delivery = one.entry, one.delivery
    return {
        "id": str(UUID(int=entry.transfer.id)),
        "backup_id": entry.details.get("backup_id"),
        "event": str(entry.kind),
        "name": entry.database,
        "amount": str(entry.transfer.amount),
        "start": entry.transfer.user_data_64,
        "recorded_at": entry.recorded_at.isoformat(),
        "details": {name: text for name, text in entry.details.items() if name != "backup_id"},
        "delivery": delivery.state if delivery else None,
        "refusal": delivery.refusal if delivery else None,
    }


def _row(one: Listed) -> tuple[str, ...]:
    entry = one.entry
    details = (text for name, text in entry.details.items() if name != "backup_id")
    refusal = (one.delivery.refusal,) if one.delivery and one.delivery.refusal else ()
    return (
        f"{entry.recorded_at:%Y-%m-%d %H:%M:%S}",
        str(entry.kind),
        entry.database,
        entry.details.get("backup_id", ""),
        size(entry.transfer.amount) if entry.transfer.amount else "",
        one.delivery.state if one.delivery else "recorded",
        "; ".join((*details, *refusal)),
    )
