"""Rows of `backup_metadata` that no command makes yet: of pruned backups, killed runs and other hosts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.world import World

from duckback.ledger.metadata import BackupMetadata, backup_metadata
from duckback.model.events import EventKind


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, tigerbeetle=False)
    yield world
    world.close()


def rows(world: World) -> list[BackupMetadata]:
    return backup_metadata(world.held, world.ledger.entries(), {*world.tombstones, *world.done}, "repo/{}".format)


def test_a_pruned_backup_stays_a_row_with_the_size_that_it_had(world: World) -> None:
    pruned = world.backup([10, 20])
    world.backup([5])
    world.prune(pruned)
    first, second = rows(world)
    assert (first.id, first.status, first.backup_size_bytes, first.backup_location) == (pruned, "pruned", 30, None)
    assert (second.status, second.backup_size_bytes) == ("completed", 5)


def test_a_backup_that_another_host_prunes_is_pruned(world: World) -> None:
    backup = world.backup([10])
    world.entomb(backup)
    del world.held[backup]
    (row,) = rows(world)
    assert (row.status, row.end_time == row.created_at) == ("pruned", True)


def test_a_run_that_was_killed_has_started(world: World) -> None:
    started = world.start("incremental")
    (row,) = rows(world)
    assert (row.status, row.backup_scope, row.end_time) == ("started", "incremental", None)
    assert (row.id, row.start_time) == (started.backup_id, started.started_at)


def test_an_incremental_has_the_size_and_location_of_what_it_wrote(world: World) -> None:
    full = world.backup([10])
    child = world.backup([5], parent=full)
    row = rows(world)[1]
    assert (row.backup_size_bytes, row.backup_scope) == (5, "incremental")
    assert row.backup_location == f"repo/hot/duckdb/incremental/{child}-main.t.0000.parquet"


def test_a_verification_of_a_backup_that_is_nowhere_tells_of_a_missing_one(world: World) -> None:
    backup = world.backup([10])
    world.record(backup, EventKind.VERIFICATION)
    verified = [entry for entry in world.ledger.entries() if entry.kind is EventKind.VERIFICATION]
    (row,) = backup_metadata({}, verified, set(), str)
    assert (row.id, row.status) == (backup, "missing")
    assert backup_metadata({}, verified, {backup}, str)[0].status == "pruned"
