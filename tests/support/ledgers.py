"""Embedded ledgers with a few events, and SQL behind their back."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import Event, EventKind

REPOSITORY = UUID("11111111-2222-4333-8444-555555555555")


def ledger_path(folder: Path) -> Path:
    """A path whose characters mean something in a SQLite URI, in directories that are not there yet."""
    return folder / "state" / "duckback" / "ledger #1?.sqlite"


def event(amount: int = 1) -> Event:
    return Event(
        kind=EventKind.COMPLETED,
        backup_id=uuid4(),
        repository_id=REPOSITORY,
        database="hot",
        scope="full",
        amount=amount,
        started_at=datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC),
        retention_days=90,
        details={"note": "Größe"},
    )


def fill(path: Path, count: int = 5) -> None:
    with EmbeddedLedger(path) as ledger:
        for amount in range(1, count + 1):
            ledger.record(event(amount))


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
