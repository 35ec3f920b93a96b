"""What a processor is."""

from typing import Protocol, TypeVar

from duckback.routes.exchange import Exchange

E = TypeVar("E", bound=Exchange)


class Processor(Protocol[E]):
    """One named step.

    It returns a new exchange and leaves the one it got as it was; run again for the same backup id it does no harm;
    when it fails it raises, and has removed its temporary files (or left them to `remove-staging`).
    """

    @property
    def name(self) -> str:
        """As routes call it."""
        ...

    def process(self, exchange: E) -> E:
        """Do the step.

        Raises:
            DuckbackError: the step failed.
        """
        ...
