"""The results of checks, in the words and numbers of Nagios plugins.

https://nagios-plugins.org/doc/guidelines.html, "Plugin Return Codes".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """The number is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def word(self) -> str:
        """In lower case."""
        return self.name.lower()


@dataclass(frozen=True)
class Checked:
    """One check.

    Attributes:
        name: what was checked; with the database's name before it where there are several.
        status: how it is.
        message: why, in words.
        measured: numbers for a graph, by label: the value with its unit as of Nagios's performance data.
    """

    name: str
    status: Status
    message: str
    measured: tuple[tuple[str, str], ...] = ()


def worst(results: Iterable[Checked]) -> Status:
    """What all of them come to: what is known to be bad counts for more than what is not known."""
    order = (Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)
    return max((one.status for one in results), key=order.index, default=Status.UNKNOWN)
