"""Databases that tests back up."""

from pathlib import Path

import duckdb

from duckback.source.demo import build_hot_tier

UNSUPPORTED = (
    "CREATE TEMPORARY MACRO passing(a) AS a",
    "CREATE TABLE unsupported (i INTEGER DEFAULT (passing(1)))",
)
"""A table that can be used for as long as this connection lives, and never be created again."""

HOT_TIER_TABLES = (
    "backup_metadata",
    "investigation_events",
    "investigation_notes",
    "notification_configs",
    "rules",
    "signals",
    "tenants",
    "users",
)


def hot_tier(folder: Path, signals: int = 5_000) -> Path:
    """The mission's hot tier, `hot.duckdb`."""
    path = folder / "hot.duckdb"
    build_hot_tier(path, signals)
    return path


def database(path: Path, *statements: str) -> Path:
    """A database file made by these statements."""
    with duckdb.connect(path) as con:
        for statement in statements:
            con.execute(statement)
    return path
