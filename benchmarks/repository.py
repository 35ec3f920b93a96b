"""A repository of a thousand backups of fifty tables: how long it takes to list and to decide what goes.

Measured as people meet it, the command from its start to its end; the peer is the same command when nothing is cached,
which reads every manifest. Calls to the store are counted beside.
"""

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch
from uuid import UUID

from benchmarks.measure import Row
from duckback import Duckback
from duckback.model.catalog import Catalog, Column, Table
from duckback.model.ids import new_id
from duckback.model.manifest import Engine, Fingerprint, LedgerHead, Manifest, ObjectRef, Run, Segment, TableBackup
from duckback.model.seal import sealed
from duckback.repository import layout
from duckback.repository.repository import Repository
from duckback.store.local import LocalStore

BACKUPS, TABLES, COLUMNS, FULL_EVERY = 1000, 50, 12, 4
LIST_SECONDS, PRUNE_SECONDS = 2.0, 4.0
_CHANGED = 10


def costs(folder: Path, repeat: int) -> list[Row]:
    """Rows of `list` and of `prune --dry-run`."""
    repo, state = folder / "repo", folder / "state"
    _fill(repo)
    return [
        _cost("list", repo, state, repeat, limit=LIST_SECONDS),
        _cost("prune --dry-run", repo, state, repeat, limit=PRUNE_SECONDS),
    ]


def _cost(verb: str, repo: Path, state: Path, repeat: int, *, limit: float) -> Row:
    command = [str(Path(sys.executable).parent / "duckback"), *verb.split(), "--repo", str(repo)]
    cold = [_seconds([*command, "--state-dir", str(repo.with_name(f"cold-{verb}-{n}"))]) for n in range(repeat)]
    _seconds([*command, "--state-dir", str(state)])
    warm = [_seconds([*command, "--state-dir", str(state)]) for _ in range(repeat)]
    calls = _calls(repo, state, verb)
    counted = ", ".join(f"{count} {method}" for method, count in sorted(calls.items()))
    return Row(
        what=f"{verb}, {BACKUPS:,} backups of {TABLES} tables",
        duckback=f"{median(warm):.2f} s; calls: {counted}",
        peer=f"nothing cached: {median(cold):.2f} s",
        ratio=f"{median(warm) / median(cold):.2f}",
        target=f"<= {limit:g} s",
        is_met=median(warm) <= limit,
    )


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _calls(repo: Path, state: Path, verb: str) -> Counter[str]:
    counts: Counter[str] = Counter()

    def counting(name: str) -> Callable[..., Any]:
        method = getattr(LocalStore, name)

        def call(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return method(*arguments, **options)

        return call

    with contextlib.ExitStack() as stack:
        for name in ("get", "list", "folders", "head"):
            stack.enter_context(patch.object(LocalStore, name, counting(name)))
        duckback = Duckback(repo, state_dir=state)
        if verb == "list":
            duckback.backups()
        else:
            duckback.prune(dry_run=True)
    return counts


def _fill(repo: Path) -> None:
    """Fulls and incrementals, six hours apart; each incremental has changed some of the tables."""
    store = LocalStore(repo)
    repository = Repository.open_or_create(store, datetime.now(UTC))
    now, newest = datetime.now(UTC), dict[int, tuple[ObjectRef, ...]]()
    catalog = Catalog(tables=tuple(_table(number) for number in range(TABLES)))
    for number in range(BACKUPS):
        moment = now - (BACKUPS - number) * timedelta(hours=6)
        backup_id, is_full = new_id(moment), number % FULL_EVERY == 0
        for table in range(TABLES) if is_full else range(number % 5, TABLES, TABLES // _CHANGED):
            ref = _ref(backup_id, moment, table, is_full=is_full)
            newest[table] = (ref,) if is_full else (*newest[table], ref)
        manifest = _manifest(repository.id, backup_id, moment, catalog, newest, is_full=is_full)
        store.create(layout.manifest_key("hot", backup_id), sealed(manifest))


def _table(number: int) -> Table:
    columns = tuple(Column(name=f"column_{n}", type="VARCHAR") for n in range(COLUMNS))
    return Table(schema_name="main", name=f"table_{number}", columns=columns, sql="CREATE TABLE …")


def _ref(backup_id: UUID, moment: datetime, table: int, *, is_full: bool) -> ObjectRef:
    key = layout.object_key(
        "hot",
        scope="full" if is_full else "incremental",
        started_at=moment,
        backup_id=backup_id,
        schema="main",
        table=f"table_{table}",
        ending="0000.parquet",
    )
    return ObjectRef(
        key=key, size=1 << 20, sha256="ab" * 32, part_size=16 << 20, composite=None, encryption="AES256", rows=1000,
        backup_id=backup_id,
    )  # fmt: skip


def _manifest(
    repository_id: UUID,
    backup_id: UUID,
    moment: datetime,
    catalog: Catalog,
    newest: dict[int, tuple[ObjectRef, ...]],
    *,
    is_full: bool,
) -> Manifest:
    tables = tuple(
        TableBackup(
            schema_name="main",
            name=f"table_{number}",
            method="full",
            storage={},
            objects=refs,
            rows=1000 * len(refs),
            raw_bytes=1 << 22,
            fingerprint=Fingerprint(rows=1000 * len(refs), sum1=1 << 90, sum2=1 << 90),
            segments=tuple(
                Segment(fingerprint=Fingerprint(rows=1000), runs=(Run(object=n, first_row=0, rows=1000),), chunk=n)
                for n in range(len(refs))
            ),
        )
        for number, refs in newest.items()
    )
    return Manifest(
        format="1",
        duckback_version="0",
        repository_id=repository_id,
        backup_id=backup_id,
        database="hot",
        backup_type="duckdb",
        scope="full" if is_full else "incremental",
        parent_id=None,
        parent_manifest_sha256=None,
        started_at=moment,
        snapshot_at=moment,
        retention_until=moment + timedelta(days=90),
        compression="parquet-zstd",
        encryption="s3-sse",
        capture_mode="image",
        file=None,
        engine=Engine(duckdb_version="2.0.0", storage_version="v2.0.0", hash_probe=1),
        ledger=LedgerHead(driver="embedded", id="x", head="0" * 64),
        catalog=catalog,
        tables=tables,
        excluded=(),
        seconds={},
    )
