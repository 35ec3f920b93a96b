"""What a route is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """A named list of processors, by name.

    Attributes:
        processors: in order; each gets the exchange that the one before returned.
        on_start: run before the first of them.
        on_completion: run afterwards in every outcome, all of them, even if one fails.
    """

    name: str
    processors: tuple[str, ...]
    on_start: tuple[str, ...] = ()
    on_completion: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every processor that the route needs."""
        return (*self.on_start, *self.processors, *self.on_completion)
