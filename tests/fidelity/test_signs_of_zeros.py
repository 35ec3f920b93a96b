"""The sign of a zero is part of a value: it comes back, or what did not keep it is named.

DuckDB 1.5 stores one value for a stretch of equal ones, and to it 0.0 equals -0.0; DuckDB 2 tells them apart.
"""

from pathlib import Path

import duckdb
import pytest
from support.place import Place
from support.snapshots import exported, manifest_of, memory_database, resources, rows

from duckback import Duckback
from duckback.errors import IntegrityError, Unsupported
from duckback.model.manifest import Manifest
from duckback.model.progress import unheard
from duckback.source.engine import KEEPS_ONE_ZERO
from duckback.source.load import build_database, examine_database

ZERO = "(CASE WHEN i % 3 = 1 THEN '-0.0' ELSE '0.0' END)::DOUBLE"
ALONE = f"CREATE TABLE t AS SELECT i, {ZERO} AS d, [{ZERO}::FLOAT] AS f, {{'a': {ZERO}}} AS s FROM range(3_000) r(i)"
BESIDE_OTHERS = f"{ALONE} UNION ALL SELECT 3_000, 7.5, [7.5], {{'a': 7.5}}"
AMONG_OTHERS = f"{ALONE} UNION ALL SELECT i, 7.5, [7.5], {{'a': 7.5}} FROM range(3_000) r(i) ORDER BY i"
MINUSES = ", ".join(f"count(*) FILTER (signbit({value}))" for value in ("d", "f[1]", "s.a"))

only_1_5 = pytest.mark.skipif(not KEEPS_ONE_ZERO, reason="DuckDB 2 keeps both zeros")


def backed_up(folder: Path, *statements: str) -> tuple[Manifest, dict[str, Path]]:
    with memory_database(folder, *statements) as con:
        return manifest_of(*exported(con, folder))


def restored(folder: Path, manifest: Manifest, files: dict[str, Path]) -> tuple[Path, list[str]]:
    """The file, and what its examination had to say."""
    target, limits = folder / "restored.duckdb", resources(folder)
    build_database(manifest, files, target, storage_version=None, trust_ddl=False, resources=limits, report=unheard)
    examined = examine_database(target, manifest, files, [], resources=limits, report=unheard)
    return target, list(examined.notices)


def reopened(folder: Path, *statements: str) -> Path:
    """A file that these statements made, after its own checkpoint."""
    path = folder / "source.duckdb"
    with duckdb.connect(path) as con:
        for statement in statements:
            con.execute(statement)
    return path


@pytest.mark.parametrize("made", [BESIDE_OTHERS, AMONG_OTHERS])
def test_zeros_of_either_sign_among_other_values_come_back(tmp_path: Path, made: str) -> None:
    target, notices = restored(tmp_path, *backed_up(tmp_path, made))
    assert rows(target, f"SELECT {MINUSES} FROM t") == [(1_000, 1_000, 1_000)]
    assert notices == []


def test_the_backup_has_the_sign_of_every_zero(tmp_path: Path) -> None:
    _, files = backed_up(tmp_path, ALONE)
    (path,) = files.values()
    assert rows(duckdb.connect(), f"SELECT {MINUSES} FROM read_parquet('{path}')") == [(1_000, 1_000, 1_000)]


@pytest.mark.skipif(KEEPS_ONE_ZERO, reason="DuckDB 1.5 cannot")
def test_zeros_of_either_sign_alone_come_back(tmp_path: Path) -> None:
    target, notices = restored(tmp_path, *backed_up(tmp_path, ALONE))
    assert rows(target, f"SELECT {MINUSES} FROM t") == [(1_000, 1_000, 1_000)]
    assert notices == []


@only_1_5
def test_where_this_duckdb_keeps_one_zero_the_restored_table_is_named_and_is_as_the_source_after_its_checkpoint(
    tmp_path: Path,
) -> None:
    target, notices = restored(tmp_path, *backed_up(tmp_path, ALONE, "CREATE TABLE others AS SELECT 1.5::DOUBLE AS d"))
    (notice,) = notices
    assert "table main.t: DuckDB 1." in notice
    assert "restore with DuckDB 2" in notice
    every = "SELECT i, d::VARCHAR, f::VARCHAR, s::VARCHAR FROM t"
    assert rows(target, every) == rows(reopened(tmp_path, ALONE), every)


@only_1_5
def test_the_document_of_such_a_restore_names_the_table_and_claims_no_more_than_was_proven(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with duckdb.connect(tmp_path / "open.duckdb") as con:
        con.execute(ALONE)
        Duckback(repo=str(place.repo), state_dir=place.state).backup(con)
    told = place.run("restore", place.target, "--json").worked().json
    assert told["proof"].endswith(", but for what the notices say")
    (notice,) = told["notices"]
    assert "table main.t: DuckDB 1." in notice


@only_1_5
def test_no_other_difference_hides_behind_a_zero(tmp_path: Path) -> None:
    manifest, files = backed_up(tmp_path, ALONE)
    target, _ = restored(tmp_path, manifest, files)
    with duckdb.connect(target) as con:
        con.execute("UPDATE t SET i = -1 WHERE i = 7")
    with pytest.raises(IntegrityError, match=r"table main\.t does not have the rows"):
        examine_database(target, manifest, files, [], resources=resources(tmp_path), report=unheard)


@only_1_5
def test_files_that_are_not_the_manifest_s_do_not_answer_for_zeros(tmp_path: Path) -> None:
    manifest, _ = backed_up(tmp_path, ALONE)
    (other := tmp_path / "other").mkdir()
    _, wrong = backed_up(other, ALONE.replace("i % 3 = 1", "i % 3 = 2"))
    (key,) = (ref.key for ref in manifest.objects)
    with pytest.raises(IntegrityError, match=r"table main\.t does not have the rows"):
        restored(tmp_path, manifest, {key: next(iter(wrong.values()))})


@only_1_5
def test_a_table_whose_native_file_would_not_keep_them_is_refused_by_name(tmp_path: Path) -> None:
    made = f"CREATE TABLE t AS SELECT i::VARIANT AS v, {ZERO} AS d FROM range(3_000) r(i)"
    with pytest.raises(Unsupported, match=r"table main\.t has a VARIANT.* sign of every zero") as refusal:
        backed_up(tmp_path, made)
    assert "--exclude main.t" in refusal.value.hint


@only_1_5
def test_a_restore_tells_of_the_table_and_succeeds(place: Place) -> None:
    source = place.root / "source.duckdb"
    with duckdb.connect(source) as con:
        # What is in the log alone has its signs; the next checkpoint forgets them.
        con.execute("SET checkpoint_threshold = '1TB'")
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute(ALONE)
    place.run("backup", source).worked()
    ran = place.run("restore", place.target).worked()
    assert "table main.t: DuckDB 1." in ran.err
