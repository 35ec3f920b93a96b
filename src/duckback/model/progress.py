"""How long-running steps tell how far they are, to whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One report of a step: rows and bytes done, and in all where that is known (0: not known)."""

    step: str
    rows_done: int = 0
    rows_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0


Report = Callable[[Progress], None]
"""Takes the reports of a run; called from any thread, often, and must return at once."""


def unheard(_: Progress) -> None:
    """The report of a run that nobody watches."""
