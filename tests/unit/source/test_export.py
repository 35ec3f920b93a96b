"""The export writes every row of one snapshot, in order, and its fingerprints are those of the files."""

from pathlib import Path

import duckdb
import pytest
from support.snapshots import exported, manifest_of, memory_database, order, rebuilt, resources, rows, there_and_back

from duckback.errors import SourceError
from duckback.model.export import Export
from duckback.model.manifest import Fingerprint
from duckback.model.progress import Progress, unheard
from duckback.source import table_writer
from duckback.source.export import export_snapshot
from duckback.source.fingerprint import CHUNK_ROWS, total
from duckback.source.proof import compression_codecs, prove_files

BIG = f"CREATE TABLE t AS SELECT range AS i, range % 7 AS j FROM range({2 * CHUNK_ROWS + 10})"


@pytest.fixture
def one_chunk_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writer, "CHUNKS_PER_FILE", 1)


def assert_consistent(export: Export, staging: Path, folder: Path) -> None:
    for table in export.tables:
        assert total([segment.fingerprint for segment in table.segments]) == table.fingerprint
        assert sum(file.rows for file in table.files) == table.fingerprint.rows
        for number, file in enumerate(table.files):
            runs = [segment.runs[0] for segment in table.segments if segment.runs[0].object == number]
            assert [run.first_row for run in runs] == [sum(r.rows for r in runs[:n]) for n in range(len(runs))]
            assert sum(run.rows for run in runs) == file.rows
    prove_files(export, staging, resources=resources(folder), report=unheard)


@pytest.mark.usefixtures("one_chunk_a_file")
def test_a_large_table_becomes_several_files_in_the_order_of_its_rows(tmp_path: Path) -> None:
    with memory_database(tmp_path, BIG) as con:
        export, staging = exported(con, tmp_path)
        (table,) = export.tables
        assert [file.name for file in table.files] == ["0000.0000.parquet", "0000.0001.parquet", "0000.0002.parquet"]
        assert [file.rows for file in table.files] == [CHUNK_ROWS, CHUNK_ROWS, 10]
        assert_consistent(export, staging, tmp_path)
        restored = rebuilt(*manifest_of(export, staging), tmp_path / "restored.duckdb")
        query = "SELECT count(*), bool_and(i = rowid) FROM t"
        assert rows(restored, query) == [(2 * CHUNK_ROWS + 10, True)]


@pytest.mark.parametrize("chunks", [1, 2, 32])
def test_gaps_that_deletes_left_are_no_rows_and_shift_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: int
) -> None:
    monkeypatch.setattr(table_writer, "CHUNKS_PER_FILE", chunks)
    path = tmp_path / "a.duckdb"
    with duckdb.connect(path) as con:
        con.execute(BIG)
        con.execute(f"DELETE FROM t WHERE i % 3 = 0 OR i BETWEEN {CHUNK_ROWS - 5} AND {2 * CHUNK_ROWS + 4}")
    with duckdb.connect(path, read_only=True) as con:
        export, staging = exported(con, tmp_path)
        assert_consistent(export, staging, tmp_path)
        files = [str(staging / file.name) for file in export.tables[0].files]
        assert (
            rows(con, "SELECT i FROM t ORDER BY rowid")
            == con.execute("SELECT i FROM read_parquet(?)", [files]).fetchall()
        )
        assert export.rows == rows(con, "SELECT count(*) FROM t")[0][0]


@pytest.mark.usefixtures("one_chunk_a_file")
@pytest.mark.parametrize("column", ["rowid", "ROWID", "file_row_number", "filename"])
def test_a_column_may_be_called_like_a_pseudo_column(tmp_path: Path, column: str) -> None:
    values = "CASE WHEN range % 3 > 0 THEN range * 7919 % 400000 END"
    statement = f'CREATE TABLE t AS SELECT {values} AS "{column}", range AS i FROM range({CHUNK_ROWS + 9})'
    with memory_database(tmp_path, statement) as con:
        export, staging = exported(con, tmp_path)
        assert_consistent(export, staging, tmp_path)
        restored = rebuilt(*manifest_of(export, staging), tmp_path / "restored.duckdb")
        query = f'SELECT "{column}", i FROM t'
        assert rows(restored, query) == rows(con, query)


def test_a_table_without_rows_has_a_file_without_rows(tmp_path: Path) -> None:
    with memory_database(tmp_path, "CREATE TABLE t (i INTEGER, s STRUCT(a DOUBLE[]))") as con:
        export, staging = exported(con, tmp_path)
    (table,) = export.tables
    assert (table.fingerprint, table.segments) == (Fingerprint(), ())
    assert [(file.name, file.rows) for file in table.files] == [("0000.0000.parquet", 0)]
    assert rows(rebuilt(*manifest_of(export, staging), tmp_path / "b.duckdb"), "SELECT count(*) FROM t") == [(0,)]


def test_a_database_without_tables_is_exported(tmp_path: Path) -> None:
    assert rows(there_and_back(tmp_path), "SELECT table_name FROM duckdb_tables()") == []


def test_rows_keep_their_order_where_the_connection_does_not_preserve_it(tmp_path: Path) -> None:
    with duckdb.connect(config={"threads": 4, "preserve_insertion_order": False}) as con:
        con.execute("SET preserve_insertion_order = true")
        con.execute(f"CREATE TABLE t AS SELECT range AS i, hash(range) AS h FROM range({6 * CHUNK_ROWS})")
        con.execute("SET preserve_insertion_order = false")
        export, staging = exported(con, tmp_path)
    assert_consistent(export, staging, tmp_path)
    path = str(staging / "0000.0000.parquet")
    assert duckdb.execute("SELECT i FROM read_parquet(?)", [path]).fetchall() == [(i,) for i in range(6 * CHUNK_ROWS)]


def test_files_explain_themselves_and_are_zstd_throughout(tmp_path: Path) -> None:
    statements = [
        """CREATE TABLE "it's" AS SELECT range AS i, 'x' || range AS s FROM range(50000)""",
        "CREATE TABLE u (i INT)",
    ]
    with memory_database(tmp_path, *statements) as con:
        export, staging = exported(con, tmp_path)
        query = "SELECT decode(key), decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) LIKE 'duckback.%'"
        found = [con.execute(query, [str(staging / t.files[0].name)]).fetchall() for t in export.tables]
        groups = rows(con, f"SELECT max(row_group_num_rows) FROM parquet_metadata('{staging / '0000.0000.parquet'}')")
    assert [dict(pairs) for pairs in found] == [
        {"duckback.backup": "a label", "duckback.table": "main.it's"},
        {"duckback.backup": "a label", "duckback.table": "main.u"},
    ]
    assert compression_codecs(sorted(staging.iterdir())) == {"0000.0000.parquet": {"ZSTD"}, "0001.0000.parquet": set()}
    assert groups[0][0] <= CHUNK_ROWS


def test_generated_columns_are_computed_again_and_not_stored(tmp_path: Path) -> None:
    statements = ["CREATE TABLE t (g INTEGER AS (a * 2), a INTEGER)", "INSERT INTO t VALUES (21)"]
    with memory_database(tmp_path, *statements) as con:
        export, staging = exported(con, tmp_path)
        columns = rows(con, f"SELECT * FROM read_parquet('{staging / '0000.0000.parquet'}')")
    assert columns == [(21,)]
    assert rows(rebuilt(*manifest_of(export, staging), tmp_path / "b.duckdb"), "FROM t") == [(42, 21)]


def test_progress_ends_with_every_row_done(tmp_path: Path) -> None:
    heard: list[Progress] = []
    with memory_database(tmp_path, "CREATE TABLE t AS FROM range(1000)", "CREATE TABLE u AS FROM range(500)") as con:
        export_snapshot(con, order(tmp_path, tmp_path), heard.append)
    assert (heard[-1].rows_done, heard[-1].rows_total) == (1500, 1500)
    assert [p.rows_done for p in heard] == sorted(p.rows_done for p in heard)


def test_the_connection_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with memory_database(tmp_path, "CREATE TABLE t AS SELECT 1 AS i") as con:
        with pytest.raises(SourceError):
            export_snapshot(con, order(tmp_path / "absent", tmp_path), unheard)
        con.execute("BEGIN TRANSACTION")
        assert rows(con, "FROM t") == [(1,)]


def test_a_folder_called_like_a_partition_adds_no_column_and_changes_none(tmp_path: Path) -> None:
    folder = tmp_path / "i=5" / "odd [x] *"
    folder.mkdir(parents=True)
    with memory_database(tmp_path, "CREATE TABLE t AS SELECT 1 AS i") as con:
        export, staging = exported(con, folder)
    prove_files(export, staging, resources=resources(tmp_path), report=unheard)
    assert rows(rebuilt(*manifest_of(export, staging), tmp_path / "b.duckdb"), "FROM t") == [(1,)]
