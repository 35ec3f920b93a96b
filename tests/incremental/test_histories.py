"""Whatever happens to a database, each of its backups, full or incremental, gives it back as it was at that moment."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from support.histories import ELSEWHERE, NAMES, OPERATIONS, Table, tables
from support.in_process import in_small_chunks, without_children

from duckback import Duckback
from duckback.routes.exchange import Scope, required
from duckback.source.demo import differing_rows

HISTORIES = int(os.environ.get("DUCKBACK_SOAK_HISTORIES", "40"))

_MEMORY = Path("/dev/shm")
"""Hundreds of small files that are synchronized one by one: what is tried here is no disk."""

_CATALOG = """
SELECT 'column', schema_name, table_name, column_name, data_type, column_default FROM duckdb_columns()
WHERE database_name = current_database() AND NOT internal
UNION ALL SELECT 'view', schema_name, view_name, sql, '', '' FROM duckdb_views()
WHERE database_name = current_database() AND NOT internal
UNION ALL SELECT 'sequence', schema_name, sequence_name, increment_by::VARCHAR, '', ''
FROM duckdb_sequences() WHERE database_name = current_database()
ORDER BY ALL
"""


class History(RuleBasedStateMachine):
    """A database, its backups, and a copy of it from the moment of each."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)
        self._root = Path(self._directory.name)
        self._database = self._root / "now.duckdb"
        self._duckback = Duckback(self._root / "repo", state_dir=self._root / "state", threads=1, rewrite_share=0.8)
        self._tables: dict[str, Table] = {}
        self._backups: list[tuple[str, Path]] = []

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.create(data)
        self.change(data, 0)

    @rule(data=st.data())
    def create(self, data: st.DataObject) -> None:
        """A table, or another one of that name."""
        table = data.draw(tables(data.draw(NAMES)))
        self._run([f"DROP TABLE IF EXISTS {table.sql}", table.create])
        self._tables[table.name] = table

    @precondition(lambda self: self._tables)
    @rule(data=st.data(), operation=st.integers(0, len(OPERATIONS) - 1))
    def change(self, data: st.DataObject, operation: int) -> None:
        table = self._tables[data.draw(st.sampled_from(sorted(self._tables)))]
        self._run(OPERATIONS[operation](data.draw, table))

    @precondition(lambda self: self._tables)
    @rule(data=st.data())
    def rename_or_drop(self, data: st.DataObject) -> None:
        table = self._tables.pop(data.draw(st.sampled_from(sorted(self._tables))))
        name = data.draw(NAMES)
        if name in self._tables:
            self._run([f"DROP TABLE {table.sql}"])
        else:
            before, table.name = table.sql, name
            self._run([f"ALTER TABLE {before} RENAME TO {table.sql}"] if before != table.sql else [])
            self._tables[name] = table

    @rule(statement=st.sampled_from(ELSEWHERE))
    def happen(self, statement: str) -> None:
        self._run([statement])

    @rule(scope=st.sampled_from([None, None, None, "full"]))
    def back_up(self, scope: Scope | None) -> None:
        done = self._duckback.backup(self._database, name="now", scope=scope)
        then = self._root / f"{done.backup_id}.duckdb"
        self._run(["CHECKPOINT"])
        shutil.copy(self._database, then)
        self._backups.append((str(done.backup_id), then))
        manifest = required(done.committed).manifest
        assert all(table.method == "full" for table in manifest.tables) or done.backup_scope == "incremental"

    def _run(self, statements: list[str]) -> None:
        with duckdb.connect(self._database) as con:
            for statement in statements:
                con.execute(statement).fetchall()

    def teardown(self) -> None:
        with self._directory:
            for backup, then in self._backups:
                target = self._root / f"restored-{backup}.duckdb"
                self._duckback.restore(target, name="now", backup=backup)
                assert not any(differing_rows(then, target).values())
                assert _catalog(then) == _catalog(target)


def _catalog(path: Path) -> list[tuple[str, ...]]:
    with duckdb.connect(path, read_only=True) as con:
        return con.execute(_CATALOG).fetchall()


@pytest.mark.timeout(300 + 10 * HISTORIES)
@pytest.mark.parametrize("half", ["one half of the histories", "the other half"])
def test_every_backup_of_a_history_gives_the_database_back_as_it_was(
    monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    without_children(monkeypatch)
    in_small_chunks(monkeypatch)
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=HISTORIES // 2,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
