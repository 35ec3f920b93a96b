"""What a run came to, as its process tells it and as everybody else hears it."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Outcome(BaseModel):
    """The end of one run.

    Attributes:
        ok: whether it did what it was for; a verification that found something wrong did not.
        route: the name of the route that it was, None where none was begun.
        error: the name of the error's class, and `message` and `hint` its words; None where it is ok.
        is_told: whether its own process has told the hooks that it failed, or nobody need hear of it.
        notices: what is worth hearing though nothing failed: a hook that did, for one.
        hook_failures: how many hooks failed.
        backup_id: of the backup that was made, verified last or restored.
        seconds: of the whole run, and by processor in `steps`.
        rows: of the snapshot.
        bytes: that were added to the repository, in `objects`.
        good: how many backups were verified as good; `bad`: as bad.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ok: bool
    route: str | None = None
    error: str | None = None
    message: str = ""
    hint: str = ""
    is_told: bool = True
    notices: tuple[str, ...] = ()
    hook_failures: int = 0
    backup_id: UUID | None = None
    scope: Literal["full", "incremental"] | None = None
    seconds: float = 0.0
    steps: dict[str, float] = {}
    rows: int = 0
    bytes: int = 0
    objects: int = 0
    good: int = 0
    bad: int = 0
