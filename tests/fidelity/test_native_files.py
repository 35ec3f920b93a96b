"""A table that Parquet cannot hold travels as a DuckDB file of its own, which is trusted as little as any object."""

import shutil
from pathlib import Path

import duckdb
import pytest
from support.databases import database
from support.place import Place
from support.snapshots import built, exported, manifest_of, memory_database, rows

from duckback import Duckback
from duckback.errors import IntegrityError
from duckback.model.manifest import Manifest

VARIANTS = (
    "CREATE TABLE v (id INTEGER, x VARIANT, y VARIANT[])",
    (
        "INSERT INTO v VALUES (1, 1::UTINYINT::VARIANT, [NULL, 'a'::VARIANT]), (2, {'a': 1.50::DECIMAL(9,2)}::VARIANT, []),"
        " (3, NULL, NULL), (4, INTERVAL 3 DAYS::VARIANT, [1::HUGEINT::VARIANT])"
    ),
    "CREATE TABLE w (x VARIANT)",
    "INSERT INTO w SELECT {'i': i}::VARIANT FROM range(3000) r(i)",
    "CREATE TABLE plain (i INTEGER)",
)
LOOK = (
    "SELECT id, x::VARCHAR, variant_typeof(x), list_transform(y, lambda item: variant_typeof(item)) FROM v ORDER BY id"
)


@pytest.fixture
def backed_up(tmp_path: Path) -> tuple[Manifest, dict[str, Path]]:
    with memory_database(tmp_path, *VARIANTS) as con:
        return manifest_of(*exported(con, tmp_path))


def native_of(manifest: Manifest, name: str) -> str:
    (found,) = [table.native.key for table in manifest.tables if table.name == name and table.native is not None]
    return found


def test_tables_with_variants_and_no_others_have_a_native_file(backed_up: tuple[Manifest, dict[str, Path]]) -> None:
    manifest, _ = backed_up
    assert {table.name for table in manifest.tables if table.native is not None} == {"v", "w"}


def test_every_variant_comes_back_with_its_type(tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]]) -> None:
    assert built(*backed_up, tmp_path / "b.duckdb") == []
    with memory_database(tmp_path, *VARIANTS) as source:
        assert rows(tmp_path / "b.duckdb", LOOK) == rows(source, LOOK)
    assert rows(tmp_path / "b.duckdb", "SELECT count(*), count(DISTINCT x::VARCHAR) FROM w") == [(3000, 3000)]


def test_its_parquet_shows_the_variants_as_text(backed_up: tuple[Manifest, dict[str, Path]]) -> None:
    manifest, files = backed_up
    (table,) = [table for table in manifest.tables if table.name == "v"]
    with duckdb.connect() as con:
        query = f"SELECT x FROM read_parquet('{files[table.objects[0].key]}') ORDER BY id"
        assert [text for (text,) in rows(con, query)] == ["1", "{'a': 1.50}", None, "3 days"]


FORGERIES = {
    "a view that reads a file": "CREATE VIEW rows AS SELECT 1 AS id, NULL::VARIANT AS x, NULL::VARIANT[] AS y"
    " FROM read_text('/etc/passwd')",
    "no rows": "CREATE TABLE other (i INTEGER)",
    "other rows": "CREATE TABLE rows AS SELECT 9 AS id, NULL::VARIANT AS x, NULL::VARIANT[] AS y FROM range(4)",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_native_file_is_refused(
    tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]], forgery: str
) -> None:
    manifest, files = backed_up
    forged = tmp_path / "forged.duckdb"
    with duckdb.connect(forged, config={"storage_compatibility_version": "latest"}) as con:
        con.execute(FORGERIES[forgery])
    with pytest.raises(IntegrityError, match=r"table main\.v"):
        built(manifest, {**files, native_of(manifest, "v"): forged}, tmp_path / "b.duckdb")


def test_a_native_file_that_is_none_is_refused(tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]]) -> None:
    manifest, files = backed_up
    (tmp_path / "text").write_text("no database at all" * 1000)
    with pytest.raises(IntegrityError, match=r"native file of table main\.v is no DuckDB database"):
        built(manifest, {**files, native_of(manifest, "v"): tmp_path / "text"}, tmp_path / "b.duckdb")


def test_a_missing_or_altered_native_object_is_found_by_verify_and_by_restore(place: Place) -> None:
    path = place.root / "a.duckdb"
    with duckdb.connect(path, config={"storage_compatibility_version": "latest"}) as con:
        for statement in VARIANTS:
            con.execute(statement)
    place.run("backup", path).worked()
    native = sorted(place.repo.rglob("*.native.duckdb"))
    assert len(native) == 2
    shutil.copy(native[0], place.root / "kept")
    native[0].chmod(0o600)
    native[0].write_bytes(native[0].read_bytes()[:-1] + b"!")
    assert native[0].name in place.run("verify").out
    place.run("restore", place.target).failed(20, native[0].name)
    native[0].unlink()
    place.run("restore", place.target).failed(20, "is missing")
    shutil.copy(place.root / "kept", native[0])
    place.run("verify").worked()
    place.run("restore", place.target).worked()
    assert rows(place.target, LOOK) == rows(path, LOOK)


def test_secrets_and_attached_databases_of_a_connection_are_told_to_be_left_out(tmp_path: Path, place: Place) -> None:
    other = database(tmp_path / "other.duckdb", "CREATE TABLE t (i INTEGER)")
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{other}' AS beside")
        con.execute("CREATE TABLE mine AS SELECT 1 AS i")
        done = Duckback(place.repo, state_dir=place.state).backup(con, name="a")
    assert "not in the backup: the attached database beside" in done.notices
    assert done.committed is not None
    assert [table.name for table in done.committed.manifest.tables] == ["mine"]
