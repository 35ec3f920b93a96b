"""Where events are delivered to, and how it is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from duckback.errors import LedgerUnavailable
from duckback.ledger.base import Allowance, Receiver
from duckback.ledger.codec import LEDGER


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A TigerBeetle cluster, and a ledger in it.

    Attributes:
        addresses: Of its replicas, as IP address and port.
        cluster_id: 128 bits.
        number: Of the ledger, 1 to 2**32 - 1.
        timeout: Of an attempt to deliver, and of each question.
    """

    addresses: Sequence[str]
    cluster_id: int = 0
    number: int = LEDGER
    timeout: timedelta = timedelta(seconds=5)

    @property
    def name(self) -> str:
        """What stays when a replica moves: cluster and ledger."""
        return f"tigerbeetle:{self.cluster_id}:{self.number}"

    def open(self, allowance: Allowance) -> Receiver:
        """The receiver; no server is asked yet.

        Raises:
            LedgerUnavailable: TigerBeetle's client is not installed.
        """
        try:
            from duckback.ledger.tigerbeetle import TigerBeetle  # noqa: PLC0415 -- its client is an extra
        except Exception as error:
            raise LedgerUnavailable(
                f"TigerBeetle's client cannot be loaded: {error}",
                hint="Install it: pip install 'duckback[tigerbeetle]'.",
            ) from error
        return TigerBeetle(self.addresses, self.cluster_id, allowance)
