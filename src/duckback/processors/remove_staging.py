"""remove-staging: nothing of the run stays on the local disk but what was meant to."""

from typing import Generic

from duckback.routes.processor import E


class RemoveStaging(Generic[E]):
    """Removes the run's private directories."""

    name = "remove-staging"

    def process(self, exchange: E) -> E:
        for scratch in exchange.scratches:
            scratch.remove()
        return exchange
