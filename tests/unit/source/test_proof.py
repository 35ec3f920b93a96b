"""A written file that does not hold the snapshot's rows is found before anything is uploaded."""

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from support.snapshots import exported, memory_database, resources

from duckback.errors import IntegrityError, SourceError
from duckback.model.progress import unheard
from duckback.source import proof, table_writer
from duckback.source.fingerprint import CHUNK_ROWS
from duckback.source.proof import prove_files


def rewritten(path: Path, query: str) -> None:
    other = path.with_suffix(".other")
    duckdb.execute(f"COPY ({query.format(path=path)}) TO '{other}' (FORMAT parquet)").fetchall()
    other.replace(path)


def swapped(one: Path, other: Path) -> None:
    aside = one.with_suffix(".aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flipped_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 8] = bytes(byte ^ 0xFF for byte in data[middle : middle + 8])
    path.write_bytes(data)


def replaced_by_text(path: Path) -> None:
    path.write_text("i,s\n1,s1\n" * 1000)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "one value of another sign": lambda d: rewritten(
        d / "0000.0000.parquet", "SELECT CASE i WHEN 3 THEN -i ELSE i END AS i, s FROM '{path}'"
    ),
    "two values of a column swapped": lambda d: rewritten(
        d / "0000.0000.parquet", "SELECT i, CASE i WHEN 1 THEN 's2' WHEN 2 THEN 's1' ELSE s END AS s FROM '{path}'"
    ),
    "a row twice and another not": lambda d: rewritten(
        d / "0000.0000.parquet", "SELECT CASE i WHEN 4 THEN 5 ELSE i END AS i, s FROM '{path}'"
    ),
    "a row too many": lambda d: rewritten(d / "0000.0000.parquet", "FROM '{path}' UNION ALL (FROM '{path}' LIMIT 1)"),
    "no rows": lambda d: rewritten(d / "0000.0000.parquet", "FROM '{path}' WHERE false"),
    "files of two tables swapped": lambda d: swapped(d / "0000.0000.parquet", d / "0001.0000.parquet"),
    "a file cut short": lambda d: truncated(d / "0000.0000.parquet"),
    "an empty file": lambda d: os.truncate(d / "0000.0000.parquet", 0),
    "no file": lambda d: (d / "0000.0000.parquet").unlink(),
    "flipped bits": lambda d: flipped_in_the_middle(d / "0000.0000.parquet"),
    "another file": lambda d: replaced_by_text(d / "0000.0000.parquet"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_found(tmp_path: Path, damage: str) -> None:
    tables = [
        "CREATE TABLE a AS SELECT range AS i, 's' || range AS s FROM range(1000)",
        "CREATE TABLE b AS SELECT range + 1 AS i, 's' || range AS s FROM range(1000)",
    ]
    with memory_database(tmp_path, *tables) as con:
        export, staging = exported(con, tmp_path)
    prove_files(export, staging, resources=resources(tmp_path), report=unheard)
    DAMAGE[damage](staging)
    with pytest.raises(IntegrityError, match=r"table main\.a"):
        prove_files(export, staging, resources=resources(tmp_path), report=unheard)


def test_two_files_of_one_table_that_changed_places_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writer, "CHUNKS_PER_FILE", 1)
    with memory_database(tmp_path, f"CREATE TABLE t AS FROM range({2 * CHUNK_ROWS})") as con:
        export, staging = exported(con, tmp_path)
    swapped(staging / "0000.0000.parquet", staging / "0000.0001.parquet")
    with pytest.raises(IntegrityError):
        prove_files(export, staging, resources=resources(tmp_path), report=unheard)


def test_rows_that_changed_their_chunk_are_found(tmp_path: Path) -> None:
    with memory_database(tmp_path, f"CREATE TABLE t AS FROM range({CHUNK_ROWS + 100})") as con:
        export, staging = exported(con, tmp_path)
    rewritten(staging / "0000.0000.parquet", "FROM '{path}' ORDER BY range DESC")
    with pytest.raises(IntegrityError):
        prove_files(export, staging, resources=resources(tmp_path), report=unheard)


def test_the_proof_fills_in_the_bytes_before_compression(tmp_path: Path) -> None:
    with memory_database(tmp_path, "CREATE TABLE t AS SELECT hash(range) AS h FROM range(1000)") as con:
        export, staging = exported(con, tmp_path)
    proven = prove_files(export, staging, resources=resources(tmp_path), report=unheard)
    ((file,),) = (table.files for table in proven.tables)
    assert file.raw_bytes > 8000


def test_a_lack_of_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with memory_database(tmp_path, "CREATE TABLE t AS FROM range(10)") as con:
        export, staging = exported(con, tmp_path)

    def starve(*_: object) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate")

    monkeypatch.setattr(proof, "grouped_fingerprints", starve)
    with pytest.raises(SourceError, match="memory limit") as failure:
        prove_files(export, staging, resources=resources(tmp_path), report=unheard)
    assert not isinstance(failure.value, IntegrityError)
