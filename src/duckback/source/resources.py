"""What DuckDB may use; data alone, for whoever sends a job and needs no DuckDB."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Resources:
    """What DuckDB may use: memory as it spells it ("600MB"), threads, and a directory to spill to."""

    memory_limit: str
    threads: int
    spill: Path
