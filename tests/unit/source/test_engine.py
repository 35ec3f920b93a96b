"""What instances of DuckDB may use."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.in_process import without_children
from support.protected import Protected

from duckback.model.export import Export
from duckback.source import tasks
from duckback.source.engine import connect, leave_room, scalar
from duckback.source.export import export_snapshot
from duckback.source.resources import Resources


def limit(con: duckdb.DuckDBPyConnection) -> float:
    """The memory limit in MiB."""
    amount, unit = str(scalar(con, "SELECT current_setting('memory_limit')")).split()
    return float(amount) * {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[unit]


@pytest.mark.parametrize("memory", ["90MB", "600MB", "1500MiB", "3GB"])
def test_room_is_a_quarter_of_the_memory(memory: str, tmp_path: Path) -> None:
    with connect(Resources(memory, 1, tmp_path)) as con:
        before = limit(con)
        leave_room(con)
        # DuckDB tells so many GiB with one digit after the point.
        assert limit(con) == pytest.approx(before * 3 / 4, rel=0.07)


def test_an_incremental_leaves_room_and_a_full_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []

    def watched(con: duckdb.DuckDBPyConnection, *arguments: Any, **options: Any) -> Export:
        limits.append(limit(con))
        return export_snapshot(con, *arguments, **options)

    without_children(monkeypatch)
    monkeypatch.setattr(tasks, "export_snapshot", watched)
    here = Protected(tmp_path)
    here.backup("CREATE TABLE t AS FROM range(100) r(i)")
    here.backup("DELETE FROM t WHERE i = 7")
    assert limits[1] == pytest.approx(limits[0] * 3 / 4, rel=0.01)
