"""What a hook is told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event of one run.

    Attributes:
        event: the route begins; it did what it was for; it did not.
        route: its name.
        database: the database's name in the repository.
        repository: the address.
        run_id: the same at the start and at the end, and on each log line between.
        at: aware.
        details: of the end: the seconds, the backup, its size, or what went wrong; JSON values.
    """

    event: Literal["start", "success", "failure"]
    route: str
    database: str
    repository: str
    run_id: UUID
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def json(self) -> bytes:
        """As hooks get it."""
        document = {
            "schema": "duckback.hook/1",
            "event": self.event,
            "route": self.route,
            "database": self.database,
            "repository": self.repository,
            "run_id": str(self.run_id),
            "at": self.at.isoformat(),
            **self.details,
        }
        return json.dumps(document, default=str).encode()
