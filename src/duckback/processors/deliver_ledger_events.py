"""deliver-ledger-events: what the embedded ledger holds goes on to TigerBeetle, now or with a later run."""

from dataclasses import replace
from typing import TypeVar

from duckback.errors import LedgerError
from duckback.ledger.outbox import Outbox
from duckback.routes.exchange import Exchange

E = TypeVar("E", bound=Exchange)


class DeliverLedgerEvents:
    """Delivers in bounded time; that it cannot is a notice, for the run has done its work."""

    name = "deliver-ledger-events"

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def process(self, exchange: E) -> E:
        if isinstance(exchange.error, KeyboardInterrupt):
            return exchange  # whoever interrupts does not want to wait for another server; the next run delivers
        try:
            notices = tuple(self._outbox.deliver().notices)
        except LedgerError as error:
            notices = (f"events were not delivered: {error.message}",)
        return replace(exchange, notices=(*exchange.notices, *notices))
