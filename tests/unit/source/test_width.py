"""Row groups that fit into memory, however wide the rows are."""

from pathlib import Path

import duckdb
import pytest
from support.databases import database

from duckback import Duckback
from duckback.model.catalog import Column
from duckback.routes.exchange import required
from duckback.source.width import ROW_GROUP_BYTES, row_group_rows, width


@pytest.mark.parametrize(("bytes_a_row", "rows"), [(0, 122_880), (100, 122_880), (1_000, 24_576), (1 << 30, 2_048)])
def test_a_row_group_shrinks_with_the_width_of_the_rows(bytes_a_row: float, rows: int) -> None:
    assert row_group_rows(bytes_a_row) == rows


def test_a_row_group_is_whole_vectors_and_below_the_limit() -> None:
    for bytes_a_row in range(200, 10_000, 7):
        rows = row_group_rows(bytes_a_row)
        assert rows % 2_048 == 0
        assert rows * bytes_a_row <= ROW_GROUP_BYTES or rows == 2_048


@pytest.mark.parametrize(
    ("column_type", "value", "expected"),
    [
        ("BIGINT", "1", 16),
        ("VARCHAR", "'é' || repeat('x', 98)", 100),
        ("BLOB", "repeat('x', 50)::BLOB", 50),
        ("VARCHAR", "NULL", 0),
        ("INTEGER[]", "range(10)::INTEGER[]", 320),
        ("STRUCT(a VARCHAR, b INTEGER)", "{'a': 'four', 'b': 1}", 20),
        ("MAP(VARCHAR, INTEGER)", "MAP {'a': 1, 'b': 2}", 128),
    ],
)
def test_the_width_of_a_value_follows_its_length(column_type: str, value: str, expected: int) -> None:
    expression = width([Column(name="c", type=column_type)])
    assert duckdb.execute(f"SELECT {expression} FROM (SELECT {value} AS c)").fetchone() == (expected,)


def test_a_table_of_wide_rows_is_exported_in_small_row_groups(tmp_path: Path) -> None:
    source = database(tmp_path / "wide.duckdb", "CREATE TABLE t AS SELECT repeat('x', 4096) AS s FROM range(20000)")
    done = Duckback(tmp_path / "repo", state_dir=tmp_path / "state").backup(source)
    (table,) = required(done.committed).manifest.tables
    files = [str(tmp_path / "repo" / ref.key) for ref in table.objects]
    sizes = duckdb.execute("SELECT max(row_group_num_rows) FROM parquet_metadata(?)", [files]).fetchone()
    assert sizes == (ROW_GROUP_BYTES // 4096 // 2048 * 2048,)
