"""An incremental holds what the parent does not have, and where the parent has what is gone; nothing else."""

import duckdb
import pytest
from support.protected import Protected, of

from duckback.model.manifest import Manifest
from duckback.model.selection import Selection
from duckback.source.files import among

TABLE = "CREATE TABLE t AS SELECT i AS id, 'name ' || i % 10 AS name, i % 3 AS kind FROM range(200) r(i)"
TWO_SECONDS_AGO = -3_000_000_000


def positions(here: Protected, manifest: Manifest) -> list[tuple[str, int]]:
    return here.read(manifest, "removed")


def test_inserted_rows_alone_are_written(here: Protected) -> None:
    here.proven(TABLE)
    manifest = here.proven("INSERT INTO t VALUES (1000, 'new', 1), (1001, NULL, NULL)")
    assert manifest.scope == "incremental"
    assert sorted(here.read(manifest, "added")) == [(1000, "new", 1), (1001, None, None)]
    assert positions(here, manifest) == []
    assert (of(manifest).method, of(manifest).rows_added, of(manifest).rows_removed) == ("changed", 2, 0)


def test_of_deleted_rows_the_positions_alone_are_written(here: Protected) -> None:
    full = here.proven(TABLE)
    manifest = here.proven("DELETE FROM t WHERE id IN (3, 77, 199)")
    assert here.files(manifest, kind="added") == []
    parts = [(f"{full.backup_id}.0000", 3), (f"{full.backup_id}.0000", 77), (f"{full.backup_id}.0001", 79)]
    assert sorted(positions(here, manifest)) == parts
    assert (of(manifest).rows_added, of(manifest).rows_removed, of(manifest).rows) == (0, 3, 197)


def test_an_update_is_a_row_that_is_gone_and_one_that_is_new(here: Protected) -> None:
    here.proven(TABLE)
    manifest = here.proven("UPDATE t SET name = 'changed' WHERE id = 50")
    assert here.read(manifest, "added") == [(50, "changed", 2)]
    assert [row for _, row in positions(here, manifest)] == [50]


def test_rows_that_changed_all_over_the_table_are_one_file_in_the_order_of_the_table(here: Protected) -> None:
    here.proven("CREATE TABLE t AS SELECT i AS id, 'name ' || i AS name FROM range(1000) r(i)")
    manifest = here.proven("UPDATE t SET name = 'changed' WHERE id % 9 = 0 AND id NOT BETWEEN 300 AND 390")
    assert len(here.files(manifest, kind="added")) == 1
    expected = [(id_,) for id_ in range(0, 1000, 9) if not 300 <= id_ <= 390]
    assert here.read(manifest, "added", "id") == expected
    assert len(positions(here, manifest)) == len(expected)


def test_an_update_that_changes_nothing_is_no_change(here: Protected) -> None:
    here.proven(TABLE)
    manifest = here.proven("UPDATE t SET name = name")
    assert of(manifest).method == "unchanged"
    assert manifest.new_objects == ()


def test_duplicates_are_counted(here: Protected) -> None:
    here.proven("CREATE TABLE t AS SELECT i % 2 AS a FROM range(100) r(i)")
    more = here.proven("INSERT INTO t VALUES (1), (1), (1)")
    assert here.read(more, "added") == [(1,)] * 3
    less = here.proven("DELETE FROM t WHERE rowid IN (1, 3, 5, 7, 2)")
    assert here.files(less, kind="added") == []
    assert of(less).rows_removed == 5


def test_nulls_everywhere_are_rows_like_others(here: Protected) -> None:
    here.proven(
        "CREATE TABLE t (a INTEGER, b VARCHAR, c INTEGER[])", "INSERT INTO t SELECT NULL, NULL, NULL FROM range(90)"
    )
    manifest = here.proven("DELETE FROM t WHERE rowid < 2", "INSERT INTO t VALUES (NULL, NULL, [NULL])")
    assert here.read(manifest, "added") == [(None, None, [None])]
    assert of(manifest).rows_removed == 2


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        ("DOUBLE", "'0.0'", "'-0.0'"),
        ("INTEGER[]", "NULL", "[]"),
        ("INTEGER[]", "[]", "[NULL]"),
        ("INTEGER[][]", "[[1], [2]]", "[[1, 2]]"),
        ("STRUCT(a INTEGER)", "NULL", "{'a': NULL}"),
        ("INTERVAL", "INTERVAL 1 MONTH", "INTERVAL 30 DAYS"),
        ("INTERVAL", "INTERVAL 24 HOURS", "INTERVAL 1 DAY"),
        ("UNION(n INTEGER, m INTEGER)", "union_value(n := 1)", "union_value(m := 1)"),
        ("MAP(VARCHAR, INTEGER[])", "MAP {'a': []}", "MAP {'a': NULL}"),
    ],
)
def test_values_that_hash_alike_are_different(here: Protected, type_: str, before: str, after: str) -> None:
    here.proven(
        f"CREATE TABLE t (id INTEGER, v {type_})",
        f"INSERT INTO t SELECT i, ({before})::{type_} FROM range(100) r(i)",
        # DuckDB 1.5 stores one value for a column of equal ones, and forgets the sign of a zero over that.
        *(["INSERT INTO t VALUES (100, 7.5)"] if type_ == "DOUBLE" else []),
    )
    # DuckDB's own UPDATE leaves a value alone that equals the new one.
    manifest = here.proven("DELETE FROM t WHERE id = 60", f"INSERT INTO t VALUES (60, ({after})::{type_})")
    assert (of(manifest).method, of(manifest).rows_added, of(manifest).rows_removed) == ("changed", 1, 1)


def test_the_last_column_of_two_rows_changed_places(here: Protected) -> None:
    here.proven(TABLE)
    manifest = here.proven("UPDATE t SET kind = CASE id WHEN 4 THEN 2 ELSE 1 END WHERE id IN (4, 5)")
    assert sorted(here.read(manifest, "added", "id, kind")) == [(4, 2), (5, 1)]


def test_a_table_with_the_same_rows_in_another_order_adds_nothing(here: Protected) -> None:
    here.proven(TABLE)
    manifest = here.proven("CREATE OR REPLACE TABLE t AS SELECT * FROM t ORDER BY hash(id)")
    assert of(manifest).method == "unchanged"


@pytest.mark.parametrize("order", ["hash(id)", "id DESC"])
def test_of_a_table_that_was_sorted_anew_only_what_changed_is_written(here: Protected, order: str) -> None:
    here.proven(TABLE)
    sort = f"CREATE OR REPLACE TABLE t AS SELECT * FROM t ORDER BY {order}"
    manifest = here.proven(sort, "UPDATE t SET name = 'changed' WHERE id = 50", "DELETE FROM t WHERE id = 7")
    assert here.read(manifest, "added", "id") == [(50,)]
    assert (of(manifest).rows_added, of(manifest).rows_removed) == (1, 2)
    again = here.proven("DELETE FROM t WHERE id = 8")
    assert (of(again).rows_added, of(again).rows_removed) == (0, 1)


def test_rows_whose_rowids_have_shifted_are_the_same(here: Protected) -> None:
    here.proven(TABLE)
    moved = "CREATE OR REPLACE TABLE t AS SELECT * FROM t WHERE id >= 25 ORDER BY id"
    manifest = here.proven(moved)
    assert here.files(manifest, kind="added") == []
    assert of(manifest).rows_removed == 25
    after = here.proven("UPDATE t SET name = 'x' WHERE id = 199")
    assert (of(after).rows_added, of(after).rows_removed) == (1, 1)


def test_rows_that_went_and_came_back_are_no_change(here: Protected) -> None:
    here.proven(TABLE)
    manifest = here.proven(
        "CREATE TABLE waiting AS FROM t WHERE id < 30", "DELETE FROM t WHERE id < 30", "INSERT INTO t FROM waiting",
        "DROP TABLE waiting", "INSERT INTO t VALUES (500, 'new', 0)",
    )  # fmt: skip
    assert here.read(manifest, "added", "id") == [(500,)]
    assert of(manifest).rows_removed == 0
    after = here.proven("DELETE FROM t WHERE id IN (3, 150)")
    assert (of(after).method, of(after).rows_removed) == ("changed", 2)


def test_a_row_that_an_incremental_added_can_go_again(here: Protected) -> None:
    here.proven(TABLE)
    added = here.proven("INSERT INTO t SELECT 300 + i, 'new', 0 FROM range(5) r(i)")
    removed = here.proven("DELETE FROM t WHERE id = 302")
    assert positions(here, removed) == [(f"{added.backup_id}.added.0000", 2)]
    back = here.proven("INSERT INTO t VALUES (302, 'new', 0)")
    assert here.read(back, "added", "id") == [(302,)]


def test_an_unchanged_table_adds_no_object_and_no_bytes(here: Protected) -> None:
    here.proven(TABLE, "CREATE TABLE u AS FROM range(5)")
    manifest = here.proven("INSERT INTO u VALUES (9)")
    assert of(manifest).method == "unchanged"
    assert {ref.key.split(".")[-3] for ref in manifest.new_objects} == {"added"}
    assert all("main.u." in ref.key for ref in manifest.new_objects)


def test_what_is_created_altered_renamed_or_dropped_is_right(here: Protected) -> None:
    here.proven(
        TABLE, "CREATE TABLE u AS FROM range(5)", "CREATE TABLE gone AS FROM range(5)", "CREATE SEQUENCE numbers"
    )
    manifest = here.proven(
        "CREATE SCHEMA other", "CREATE TABLE other.t AS FROM range(3)", "ALTER TABLE u RENAME TO v",
        "ALTER TABLE t ADD COLUMN more INTEGER DEFAULT 5", "DROP TABLE gone", "CREATE VIEW seen AS FROM t",
        "SELECT nextval('numbers')",
    )  # fmt: skip
    assert [(table.schema_name, table.name, table.reason) for table in manifest.promoted] == [
        ("main", "t", "its columns are not those that it had"),
        ("main", "v", "the parent does not have it"),
        ("other", "t", "the parent does not have it"),
    ]
    assert [view.name for view in manifest.catalog.views] == ["seen"]
    after = here.proven("DROP VIEW seen", "DROP SCHEMA other CASCADE", "DROP SEQUENCE numbers", "DROP TABLE v")
    assert [table.name for table in after.tables] == ["t"]
    assert after.new_objects == ()


def test_a_table_that_was_emptied_and_one_that_was_empty(here: Protected) -> None:
    here.proven(TABLE, "CREATE TABLE u (a INTEGER)")
    manifest = here.proven("TRUNCATE t", "INSERT INTO u VALUES (1)")
    assert (of(manifest).rows, of(manifest, "u").rows) == (0, 1)
    assert of(here.proven("INSERT INTO t VALUES (1, '', 1)", "TRUNCATE u"), "u").rows == 0


def test_a_table_that_parquet_cannot_hold_is_written_whole_only_if_it_changed(here: Protected) -> None:
    here.proven(
        "CREATE TABLE t (v VARIANT)", "INSERT INTO t SELECT i::VARIANT FROM range(50) r(i)", "CREATE TABLE u (i INT)"
    )
    assert of(here.proven("INSERT INTO u VALUES (1)")).method == "unchanged"
    assert (
        of(here.proven("INSERT INTO t VALUES (900::VARIANT)")).reason
        == "it has changed, and Parquet cannot hold it exactly"
    )


@pytest.mark.parametrize("name", ["rowid", "file_row_number", "File_Index"])
def test_a_column_that_hides_positions_is_no_obstacle(here: Protected, name: str) -> None:
    here.proven(f"CREATE TABLE t AS SELECT i AS {name}, i % 3 AS k FROM range(100) r(i)")
    assert of(here.proven("CREATE TABLE u (i INT)")).method == "unchanged"
    manifest = here.proven("DELETE FROM t WHERE k = 1")
    assert of(manifest).method == "full"
    assert "hides the positions" in str(of(manifest).reason)


def test_a_database_that_nobody_wrote_to_is_not_read(here: Protected, monkeypatch: pytest.MonkeyPatch) -> None:
    full = here.proven(TABLE)
    monkeypatch.setattr("duckback.model.unchanged._TICK_NS", TWO_SECONDS_AGO)
    monkeypatch.setattr("duckback.source.tasks.take_image", None)
    done = here.duckback.backup(here.path)
    assert done.notices == (f"nothing was written to the database since backup {full.backup_id}: it was not read",)
    monkeypatch.undo()
    manifest = here.duckback.find("latest").committed.manifest
    assert (manifest.backup_id, manifest.scope, manifest.parent_id) == (done.backup_id, "incremental", full.backup_id)
    assert (manifest.bytes_added, manifest.rows) == (0, 200)
    assert manifest.snapshot_at > full.snapshot_at


def test_another_selection_is_read_even_if_nothing_was_written(
    here: Protected, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.proven(TABLE, "CREATE TABLE u AS FROM range(5)")
    monkeypatch.setattr("duckback.model.unchanged._TICK_NS", TWO_SECONDS_AGO)
    done = here.duckback.backup(here.path, selection=Selection(exclude=("u",)))
    assert done.committed is not None
    assert [table.name for table in done.committed.manifest.tables] == ["t"]


def test_a_table_that_has_gathered_too_many_changes_is_written_whole_again(here: Protected) -> None:
    here.proven(TABLE, "CREATE TABLE u AS FROM range(100)")
    methods = []
    for number in range(5):
        manifest = here.proven(f"UPDATE t SET name = 'round {number}' WHERE id % 8 = 0", "INSERT INTO u VALUES (1)")
        methods.append((of(manifest).method, of(manifest, "u").method))
    assert methods == [
        ("changed", "changed"),
        ("changed", "changed"),
        ("full", "changed"),
        ("changed", "changed"),
        ("changed", "changed"),
    ]
    assert "more than 50% of its 200 rows" in str(
        here.duckback.find(here.ids()[3]).committed.manifest.promoted[0].reason
    )


@pytest.mark.parametrize("count", [1, 4, 50])
def test_a_restore_through_many_incrementals_is_the_database_as_it_was(here: Protected, count: int) -> None:
    here.backup(TABLE)
    for number in range(count):
        last = here.backup(
            f"UPDATE t SET name = 'round {number}' WHERE id = {number * 3}",
            f"DELETE FROM t WHERE id = {number * 3 + 1}",
            f"INSERT INTO t VALUES ({1000 + number}, 'new', NULL)",
        )
    assert last.committed is not None
    assert of(last.committed.manifest).method == "changed"
    here.proven()


def test_positions_are_looked_up_without_keeping_rows_in_a_join() -> None:
    """DuckDB may turn a join round so that it holds all rows; it does not where the answer is a column."""
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT i, [i] AS l FROM range(10) r(i)")
        con.execute("CREATE TABLE gone AS SELECT i FROM range(100_000) r(i)")
        condition = among("rowid", "SELECT i FROM gone")
        plan = con.execute(f"EXPLAIN SELECT * FROM t WHERE NOT {condition}").fetchall()[0][1]
    assert "MARK" in plan
    assert "RIGHT" not in plan
