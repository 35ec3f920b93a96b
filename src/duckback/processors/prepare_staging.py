"""prepare-staging: a private directory for the run, and away with those that killed runs left."""

from dataclasses import replace
from pathlib import Path
from typing import Generic
from uuid import UUID

from duckback.routes.processor import E
from duckback.source.scratch import Scratch, sweep

_PREFIX = "duckback-run-"


def staging_of(staging_dir: Path, run_id: UUID) -> Path:
    """The directory of a run."""
    return staging_dir / f"{_PREFIX}{run_id}"


def prepare(staging_dir: Path, run_id: UUID) -> Scratch:
    """Make the directory of a run, and remove those that killed runs left."""
    sweep(staging_dir, _PREFIX)
    return Scratch(staging_dir, staging_of(staging_dir, run_id).name)


class PrepareStaging(Generic[E]):
    """Makes the run's directory under the staging directory."""

    name = "prepare-staging"

    def __init__(self, staging_dir: Path, run_id: UUID) -> None:
        self._parent = staging_dir
        self._run_id = run_id

    def process(self, exchange: E) -> E:
        return replace(exchange, staging=prepare(self._parent, self._run_id))
