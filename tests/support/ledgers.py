"""Events, embedded ledgers with a few of them, and SQL behind their back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from duckback.ledger.base import Transfers
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import MOVES_BYTES, PER_RUN, Event, EventKind

REPOSITORY = UUID("11111111-2222-4333-8444-555555555555")


def ledger_path(folder: Path) -> Path:
    """A path whose characters mean something in a SQLite URI, in directories that are not there yet."""
    return folder / "state" / "duckback" / "ledger #1?.sqlite"


@dataclass
class Book:
    """A ledger as every one shows itself, and how an event gets into this one."""

    ledger: Transfers
    record: Callable[[Event], object]


def event(
    amount: int = 1,
    kind: EventKind = EventKind.COMPLETED,
    database: str = "hot",
    *,
    repository: UUID = REPOSITORY,
    **changes: Any,
) -> Event:
    backup_id = uuid4()
    fields = {
        "kind": kind,
        "backup_id": backup_id,
        "run_id": uuid4() if kind in PER_RUN else None,
        "repository_id": repository,
        "database": database,
        "scope": "full",
        "amount": amount if kind in MOVES_BYTES else 0,
        "started_at": datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC),
        "retention_days": 90,
        "details": {"note": "Größe", "backup_id": str(backup_id)},
    }
    return Event(**{**fields, **changes})


def fill(path: Path, count: int = 5) -> None:
    with EmbeddedLedger(path) as ledger:
        for amount in range(1, count + 1):
            ledger.record(event(amount))


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
