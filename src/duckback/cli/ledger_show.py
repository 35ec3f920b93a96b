"""duckback ledger show: one event as the transfer that it is, field by field."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from duckback.audit.view import Shown
from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document
from duckback.ledger.base import Entry
from duckback.ledger.evidence import read_user_data
from duckback.model.events import EventKind

_IDS = ("id", "debit_account_id", "credit_account_id")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@with_options
def show_event(
    call: Call,
    backup: Annotated[str, typer.Argument(help='An id, the beginning of one, or "latest".', show_default=False)],
    event: Annotated[
        EventKind | None, typer.Option("--event", help="Which event; default: completed, else the newest.")
    ] = None,
) -> None:
    """Show one event of a backup as a transfer; ids in decimal as TigerBeetle prints them, as UUID and in hex."""
    shown = call.ledger().show(backup, event)
    transfer, meaning = _transfer(shown), _meaning(shown)
    if call.as_json:
        print_document("ledger-show", transfer=transfer, meaning=meaning)
        return
    for name, number in transfer.items():
        print(f"{name:18} {'  '.join(number.values()) if isinstance(number, dict) else number}")
    print()
    for name, value in meaning.items():
        print(f"{name:18} {'' if value is None else value}")


def _transfer(shown: Shown) -> dict[str, str | dict[str, str]]:
    one = shown.event.transfer
    return {
        **{name: _three_ways(getattr(one, name)) for name in _IDS},
        "amount": str(one.amount),
        "user_data_128": {"decimal": str(one.user_data_128), "hex": f"{one.user_data_128:#034x}"},
        "user_data_64": str(one.user_data_64),
        "user_data_32": {"decimal": str(one.user_data_32), "hex": f"{one.user_data_32:#010x}"},
        "ledger": str(one.ledger),
        "code": str(one.code),
    }


def _three_ways(number: int) -> dict[str, str]:
    return {"decimal": str(number), "uuid": str(UUID(int=number)), "hex": f"{number:#034x}"}


def _meaning(shown: Shown) -> dict[str, object]:
    event, data, delivery = shown.event, read_user_data(shown.event), shown.delivery
    known = (
        {}
        if data is None
        else {
            "event": str(data.kind),
            "scope": data.scope,
            "retention_days": data.retention_days,
            "manifest_sha256": f"{data.manifest_prefix}…" if data.manifest_prefix.strip("0") else None,
        }
    )
    texts = {"name": event.database, **event.details} if isinstance(event, Entry) else {}
    start = _EPOCH + timedelta(seconds=event.transfer.user_data_64)
    return {
        **known,
        "start": start.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        **texts,
        "delivery": delivery.state if delivery else None,
        "delivered_as": str(delivery.transfer_id) if delivery and delivery.transfer_id is not None else None,
        "refusal": delivery.refusal if delivery else None,
    }
