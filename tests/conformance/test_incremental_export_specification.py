"""One test for each thing that the specification asks of the incremental export, named after it."""

from pathlib import Path

import duckdb
import pytest
from support.databases import hot_tier
from support.seaweed import Seaweed

from duckback import Duckback
from duckback.ledger.codec import decode_user_data
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import EventKind
from duckback.routes import INCREMENTAL_EXPORT
from duckback.routes.exchange import BackupExchange, required
from duckback.source.demo import differing_rows

LATER = "TIMESTAMP '2026-11-24 06:00:00'"


@pytest.fixture
def duckback(tmp_path: Path) -> Duckback:
    return Duckback(tmp_path / "repo", state_dir=tmp_path / "state")


def added(repo: Path, done: BackupExchange, table: str) -> list[tuple[object, ...]]:
    refs = [ref for ref in required(done.committed).manifest.new_objects if f".{table}.added." in ref.key]
    query = "SELECT * FROM read_parquet(?) ORDER BY ALL"
    return duckdb.execute(query, [[str(repo / ref.key) for ref in refs]]).fetchall() if refs else []


def changed(path: Path, *statements: str) -> Path:
    with duckdb.connect(path) as con:
        for statement in statements:
            con.execute(statement)
    return path


@pytest.mark.parametrize("touches", [True, False], ids=["updated_at is touched", "updated_at is forgotten"])
def test_an_incremental_contains_only_rows_modified_since_the_last_backup(
    *, tmp_path: Path, duckback: Duckback, touches: bool
) -> None:
    path = changed(
        tmp_path / "hot.duckdb",
        "CREATE TABLE rules (id INTEGER, name VARCHAR, created_at TIMESTAMP, updated_at TIMESTAMP)",
        "INSERT INTO rules SELECT i, 'rule ' || i, TIMESTAMP '2026-11-01', NULL FROM range(100) r(i)",
    )
    duckback.backup(path)
    touch = f", updated_at = {LATER}" if touches else ""
    changed(
        path,
        f"UPDATE rules SET name = 'changed'{touch} WHERE id = 7",
        f"INSERT INTO rules VALUES (100, 'new', {LATER}, {LATER})",
        "DELETE FROM rules WHERE id = 8",
    )
    done = duckback.backup(path)
    assert [row[:2] for row in added(tmp_path / "repo", done, "rules")] == [(7, "changed"), (100, "new")]
    (table,) = required(done.committed).manifest.tables
    assert (table.rows_added, table.rows_removed) == (2, 2)


def test_an_incremental_of_a_table_without_such_columns_contains_only_rows_modified_since_the_last_backup(
    tmp_path: Path, duckback: Duckback
) -> None:
    path = changed(tmp_path / "hot.duckdb", "CREATE TABLE users AS SELECT i AS id, 'user' AS name FROM range(100) r(i)")
    duckback.backup(path)
    changed(path, "UPDATE users SET name = 'changed' WHERE id = 7", "INSERT INTO users VALUES (100, 'new')")
    assert added(tmp_path / "repo", duckback.backup(path), "users") == [(7, "changed"), (100, "new")]


def test_an_incremental_export_after_a_full_export_goes_through_the_whole_route_to_s3(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    bucket = seaweed.bucket()
    repo = Duckback(f"s3://{bucket}/prod", state_dir=tmp_path / "state", s3=seaweed.options().model_dump())
    path = hot_tier(tmp_path, signals=2_000)
    full = repo.backup(path)
    changed(path, "UPDATE signals SET message = 'changed' WHERE id % 500 = 0", "DELETE FROM signals WHERE id = 3")
    done = repo.backup(path, scope="incremental")
    assert [name for name in done.seconds if name in INCREMENTAL_EXPORT.processors] == [*INCREMENTAL_EXPORT.processors]
    manifest = required(done.committed).manifest
    assert (manifest.scope, manifest.parent_id, done.status) == ("incremental", full.backup_id, "completed")
    assert {ref.key.split(".", 1)[1].removeprefix("signals.") for ref in manifest.new_objects} == {
        "added.0000.parquet", "removed.parquet",
    }  # fmt: skip
    for ref in manifest.new_objects:
        assert ref.key.startswith(f"hot/duckdb/incremental/{done.start_time:%Y/%m/%d}/{done.backup_id}-main.")
        head = seaweed.client().head_object(Bucket=bucket, Key=f"prod/{ref.key}")
        assert head["ServerSideEncryption"] == "AES256"
        assert head["Metadata"]["backup-scope"] == "incremental"
        assert head["Metadata"]["checksum-sha256"] == ref.sha256
    with EmbeddedLedger(tmp_path / "state" / "ledger.sqlite") as ledger:
        entry = list(ledger.entries(kind=EventKind.COMPLETED))[-1]
    assert (entry.transfer.code, entry.transfer.id) == (12, done.backup_id.int)
    assert entry.transfer.amount == sum(ref.size for ref in manifest.new_objects)
    assert decode_user_data(entry.transfer.user_data_128, entry.transfer.user_data_32).scope == "incremental"
    repo.restore(tmp_path / "restored.duckdb")
    assert not any(differing_rows(path, tmp_path / "restored.duckdb").values())


def test_without_local_copies_the_parent_is_fetched_from_s3(tmp_path: Path, seaweed: Seaweed) -> None:
    bucket = seaweed.bucket()
    path = hot_tier(tmp_path, signals=2_000)
    hosts = [
        Duckback(f"s3://{bucket}/prod", state_dir=tmp_path / name, s3=seaweed.options().model_dump())
        for name in ("one host", "another host")
    ]
    hosts[0].backup(path)
    changed(path, "UPDATE signals SET message = 'changed' WHERE id % 500 = 0")
    done = hosts[1].backup(path)
    methods = {table.name: table.method for table in required(done.committed).manifest.tables}
    assert methods.pop("signals") == "changed"
    assert set(methods.values()) == {"unchanged"}
    hosts[0].restore(tmp_path / "restored.duckdb")
    assert not any(differing_rows(path, tmp_path / "restored.duckdb").values())


def test_the_last_backup_time_is_the_last_incrementals_else_the_last_fulls(tmp_path: Path, duckback: Duckback) -> None:
    path = changed(tmp_path / "hot.duckdb", "CREATE TABLE users AS SELECT i AS id FROM range(100) r(i)")
    full = duckback.backup(path)
    assert full.last_backup_time is None
    first = duckback.backup(changed(path, "INSERT INTO users VALUES (1)"))
    assert first.last_backup_time == required(full.committed).manifest.snapshot_at
    second = duckback.backup(changed(path, "INSERT INTO users VALUES (2)"))
    assert second.last_backup_time == required(first.committed).manifest.snapshot_at
