"""What the daemon sends to the process of a run: everything that it needs to know, secrets of hooks included."""

from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from duckback.model.schedule import Task


class Order(BaseModel):
    """One run.

    Attributes:
        task: what to do.
        run_id: the same in the daemon's log lines and in the run's, and for its hooks.
        database: the file.
        options: as of `Options`, in JSON.
        stop_within: seconds that the process has after its standard input is closed.
    """

    model_config = ConfigDict(frozen=True)

    task: Task
    run_id: UUID
    database: Path
    options: dict[str, Any]
    stop_within: float
