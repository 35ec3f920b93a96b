"""What DuckDB may use; data alone, for whoever sends a job and needs no DuckDB."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Resources:
    """What DuckDB may use: memory as it spells it ("600MB"), threads, a directory to spill to, and time.

    Attributes:
        seconds: after which its process is ended; None: never.
        least_share: of the time that it may run while it stands back; 1: it does not.
    """

    memory_limit: str
    threads: int
    spill: Path
    seconds: float | None = None
    least_share: float = 1.0

    def standing_back(self) -> "Resources":
        """The same, but half of the threads where it stands back at all."""
        return replace(self, threads=max(1, self.threads // 2)) if self.least_share < 1 else self


@dataclass(frozen=True)
class Limits:
    """Resources but for the directory, which every run has for itself."""

    memory_limit: str
    threads: int
    seconds: float | None = None
    least_share: float = 1.0

    def at(self, spill: Path) -> Resources:
        """With a directory to spill to."""
        return Resources(self.memory_limit, self.threads, spill, self.seconds, self.least_share)

    def within(self, seconds: float | None) -> "Limits":
        """The same, but with no more time than that; None: with as much as before."""
        both = [one for one in (self.seconds, seconds) if one is not None]
        return replace(self, seconds=min(both, default=None))
