"""What DuckDB may use; data alone, for whoever sends a job and needs no DuckDB."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Resources:
    """What DuckDB may use: memory as it spells it ("600MB"), threads, a directory to spill to, and time.

    Attributes:
        seconds: after which its process is ended; None: never.
    """

    memory_limit: str
    threads: int
    spill: Path
    seconds: float | None = None


@dataclass(frozen=True)
class Limits:
    """Resources but for the directory, which every run has for itself."""

    memory_limit: str
    threads: int
    seconds: float | None = None

    def at(self, spill: Path) -> Resources:
        """With a directory to spill to."""
        return Resources(self.memory_limit, self.threads, spill, self.seconds)

    def within(self, seconds: float | None) -> "Limits":
        """The same, but with no more time than that; None: with as much as before."""
        both = [one for one in (self.seconds, seconds) if one is not None]
        return replace(self, seconds=min(both, default=None))
