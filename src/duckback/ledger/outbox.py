"""The outbox: what the embedded ledger holds is delivered to a receiver, in order, each event once in effect.

An event is durable before it is delivered, and marked after the receiver has it. Whoever is killed in between, or
hears no answer, delivers it again: a transfer that is posted twice is one transfer.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from duckback.errors import IdBurned, LedgerUnavailable, TransferRefused
from duckback.ledger.base import Entry, Receiver, Transfer
from duckback.ledger.codec import ids_of
from duckback.ledger.deliveries import Backlog, Deliveries
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.limited import altogether
from duckback.ledger.remote import Remote

_NOTHING: Final = Backlog()


@dataclass(frozen=True)
class Refused:
    """An event that the receiver does not take, and its reason."""

    entry: Entry
    reason: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What one attempt to deliver came to.

    Attributes:
        delivered: How many events the receiver took, or had taken before.
        refused: What was parked in this attempt.
        unavailable: What cut it short; None if it came to the end.
        backlog: What is not delivered now.
    """

    delivered: int = 0
    refused: tuple[Refused, ...] = ()
    unavailable: LedgerUnavailable | None = None
    backlog: Backlog = _NOTHING

    @property
    def notices(self) -> Iterator[str]:
        """What the user should hear."""
        for one in self.refused:
            yield f"event {UUID(int=one.entry.transfer.id)} is parked: {one.reason}"
        if self.unavailable is not None and self.backlog.waiting:
            yield f"{self.unavailable.message}; events that wait for it: {self.backlog.waiting}"


class Outbox:
    """Deliveries from an embedded ledger to TigerBeetle; to nowhere where none is configured."""

    def __init__(self, ledger: EmbeddedLedger, remote: Remote | None) -> None:
        self._remote = remote
        self._deliveries = ledger.deliveries(remote.name) if remote is not None else None

    def deliver(self, *, parked: bool = False) -> Attempt:
        """Deliver what waits, in at most the remote's timeout.

        Args:
            parked: Whether what was refused before has its turn again.

        Raises:
            LedgerError: The embedded ledger cannot be read or written.
        """
        if self._remote is None or self._deliveries is None:
            return Attempt()
        if self._deliveries.next(parked=parked) is None:
            return Attempt(backlog=self._deliveries.backlog())
        try:
            receiver = self._remote.open(altogether(self._remote.timeout.total_seconds()))
        except LedgerUnavailable as error:
            return Attempt(unavailable=error, backlog=self._deliveries.backlog())
        with closing(receiver):
            return _deliver(self._deliveries, receiver, self._remote.number, parked=parked)

    def deliver_all(self) -> Attempt:
        """Attempt after attempt, what is parked in the first, until nothing waits or one delivers nothing.

        Raises:
            LedgerError: As `deliver`.
        """
        attempt = self.deliver(parked=True)
        delivered, refused = attempt.delivered, attempt.refused
        while attempt.unavailable is not None and attempt.delivered:
            attempt = self.deliver()
            delivered, refused = delivered + attempt.delivered, refused + attempt.refused
        return replace(attempt, delivered=delivered, refused=refused)

    def backlog(self) -> Backlog:
        """What is not delivered; nothing where there is nowhere to deliver to."""
        return _NOTHING if self._deliveries is None else self._deliveries.backlog()


def _deliver(deliveries: Deliveries, receiver: Receiver, number: int, *, parked: bool) -> Attempt:
    delivered, refused, seq = 0, list[Refused](), 0
    unavailable = None
    while (found := deliveries.next(seq, parked=parked)) is not None:
        seq, entry = found
        try:
            deliveries.mark_delivered(seq, _post(receiver, replace(entry.transfer, ledger=number)))
            delivered += 1
        except TransferRefused as error:
            deliveries.park(seq, error.message)
            refused.append(Refused(entry, error.message))
        except LedgerUnavailable as error:
            unavailable = error
            break
    return Attempt(delivered=delivered, refused=tuple(refused), unavailable=unavailable, backlog=deliveries.backlog())


def _post(receiver: Receiver, transfer: Transfer) -> int:
    """Post a transfer under the first of its ids that is not burned; that id.

    Which ids are burned is not written down: asked in the same order, the receiver answers the same.
    """
    for transfer_id in ids_of(transfer.id):
        try:
            return receiver.post(replace(transfer, id=transfer_id)).transfer.id
        except IdBurned:
            continue
    raise TransferRefused(f"the receiver has burned all ids of event {UUID(int=transfer.id)}")
