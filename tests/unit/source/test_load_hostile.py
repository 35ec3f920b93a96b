"""A manifest that somebody forged cannot read files, bring rows, run statements or leave a target behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.snapshots import built, exported, manifest_of, memory_database, rebuilt, resources, rows

from duckback import Duckback
from duckback.errors import IntegrityError, SourceError
from duckback.model.catalog import Catalog, Index, View
from duckback.model.manifest import Manifest, decode, encode
from duckback.model.progress import unheard
from duckback.source.load import examine_database

STATEMENTS = ("CREATE TABLE t (i INTEGER DEFAULT 1, CHECK (i > 0))", "INSERT INTO t VALUES (1), (2)")


@pytest.fixture
def backed_up(tmp_path: Path) -> tuple[Manifest, dict[str, Path]]:
    with memory_database(tmp_path, *STATEMENTS) as con:
        return manifest_of(*exported(con, tmp_path))


def with_catalog(manifest: Manifest, **changes: Any) -> Manifest:
    return manifest.model_copy(update={"catalog": manifest.catalog.model_copy(update=changes)})


def with_column(catalog: Catalog, **changes: Any) -> dict[str, Any]:
    (table,) = catalog.tables
    return {"tables": (table.model_copy(update={"columns": (table.columns[0].model_copy(update=changes),)}),)}


def view(sql: str) -> dict[str, Any]:
    return {"views": (View(schema_name="main", name="v", sql=sql),)}


FORGERIES: dict[str, Callable[[Catalog], dict[str, Any]]] = {
    "two statements": lambda _: view("CREATE VIEW v AS SELECT 1; CREATE TABLE more AS SELECT 1"),
    "two statements in a type": lambda c: with_column(c, type="INTEGER); DROP TABLE t; --"),
    "rows of its own": lambda c: with_column(c, type="INTEGER) AS SELECT 7 --"),
    "rows of its own, without a type": lambda c: with_column(c, type=") AS SELECT 7 --"),
    "a table in a view's place": lambda _: view("CREATE TABLE v AS SELECT 1 AS x"),
    "another view than it says": lambda _: view("CREATE VIEW w AS SELECT 1 AS x"),
    "a macro in a view's place": lambda _: view("CREATE MACRO v() AS TABLE FROM read_text('/etc/passwd')"),
    "a table replaced behind the rows": lambda _: {
        "indexes": (
            Index(schema_name="main", name="x", table="t", sql="CREATE OR REPLACE TABLE t AS SELECT 9::INTEGER AS i"),
        )
    },
    "a secret": lambda _: view("CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')"),
    "a secret that stays": lambda _: view("CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')"),
    "a view on a file": lambda _: view("CREATE VIEW v AS FROM read_csv('/etc/passwd')"),
    "a view on a bare file": lambda _: view("CREATE VIEW v AS FROM '/etc/passwd.csv'"),
    "a view on a folder": lambda _: view("CREATE VIEW v AS FROM glob('/etc/*')"),
    "a type from a file": lambda c: with_column(c, type="INTEGER) AS SELECT 1 FROM read_text('/etc/passwd') --"),
    "an ATTACH": lambda _: view("ATTACH 'other.duckdb'"),
    "a COPY": lambda _: view("COPY (SELECT 1) TO 'escaped.csv'"),
    "a PRAGMA": lambda _: view("PRAGMA enable_profiling"),
    "a SET": lambda _: view("SET threads = 1"),
    "an INSTALL": lambda _: view("INSTALL httpfs"),
    "nothing": lambda _: view(""),
    "no SQL": lambda _: view("CREATE VEIW v"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_statement_is_refused_in_the_closed_process(
    tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]], monkeypatch: pytest.MonkeyPatch, forgery: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    manifest, files = backed_up
    forged = with_catalog(manifest, **FORGERIES[forgery](manifest.catalog))
    try:
        deferred = built(forged, files, tmp_path / "restored.duckdb")
    except (IntegrityError, SourceError):
        pass
    else:
        # What was forged was not run: it is text for people to read.
        assert [item.label for item in deferred] == ["main.v"]
    created = {path.name for path in tmp_path.iterdir()}
    assert created <= {"staging", "spill", "restored.duckdb", "restored.duckdb.wal"}


def test_a_table_that_brings_rows_is_refused_before_any_are_loaded(
    tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]]
) -> None:
    manifest, files = backed_up
    forged = with_catalog(manifest, **with_column(manifest.catalog, type=") AS SELECT 7 --", default=None))
    with pytest.raises(IntegrityError, match=r"table main\.t brings rows of its own"):
        built(forged, files, tmp_path / "b.duckdb")


def test_what_is_not_forged_is_restored(tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]]) -> None:
    assert rows(rebuilt(*backed_up, tmp_path / "b.duckdb"), "FROM t") == [(1,), (2,)]
    assert not (tmp_path / "b.duckdb.wal").exists()


def test_a_manifest_over_the_wrong_file_is_found_at_the_examination(
    tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]]
) -> None:
    manifest, files = backed_up
    (other := tmp_path / "other").mkdir()
    with memory_database(other, "CREATE TABLE t AS SELECT unnest([1, 3]) AS i") as con:
        _, wrong = manifest_of(*exported(con, other))
    with pytest.raises(IntegrityError, match=r"table main\.t does not have the rows"):
        rebuilt(manifest, dict(zip(files, wrong.values(), strict=True)), tmp_path / "b.duckdb")


@pytest.mark.parametrize(
    "meddling",
    [
        "UPDATE t SET i = 3 WHERE i = 2",
        "CREATE TABLE more (i INT)",
        "DROP TABLE t",
        "CREATE MACRO m() AS 1",
        "CREATE SCHEMA s",
    ],
)
def test_a_restored_file_that_is_not_as_the_manifest_says_is_found(
    tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]], meddling: str
) -> None:
    manifest, files = backed_up
    target = rebuilt(manifest, files, tmp_path / "b.duckdb")
    with duckdb.connect(target) as con:
        con.execute(meddling)
    with pytest.raises(IntegrityError):
        examine_database(target, manifest, files, [], resources=resources(tmp_path), report=unheard)


def test_another_hash_function_is_no_difference_in_the_rows(
    tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]]
) -> None:
    manifest, files = backed_up
    engine = manifest.engine.model_copy(update={"hash_probe": manifest.engine.hash_probe + 1})
    (table,) = manifest.tables
    alien = table.model_copy(update={"fingerprint": table.fingerprint.model_copy(update={"sum1": 1, "sum2": 2})})
    of_old = manifest.model_copy(update={"engine": engine, "tables": (alien,)})
    assert rows(rebuilt(of_old, files, tmp_path / "b.duckdb"), "FROM t") == [(1,), (2,)]


def test_a_storage_version_can_be_asked_for(tmp_path: Path, backed_up: tuple[Manifest, dict[str, Path]]) -> None:
    manifest, files = backed_up
    target = tmp_path / "b.duckdb"
    built(manifest, files, target, storage_version="v1.2.0")
    query = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'b'"
    assert rows(target, query)[0][0].startswith("v1.2.0")


def test_a_restore_from_a_forged_manifest_leaves_no_target(tmp_path: Path) -> None:
    repo = Duckback(tmp_path / "repo", state_dir=tmp_path / "state", threads=2)
    with memory_database(tmp_path, *STATEMENTS) as con:
        repo.backup(con, name="a")
    (path,) = (tmp_path / "repo" / "a" / "manifests").iterdir()
    genuine = decode(path.read_bytes(), source="the test")
    path.chmod(0o600)
    path.write_bytes(encode(with_catalog(genuine, **view("CREATE TABLE v AS SELECT 1 AS x"))))
    (place := tmp_path / "place").mkdir()
    with pytest.raises(IntegrityError, match="not the statement that creates one view"):
        repo.restore(place / "b.duckdb", trust_repository=True)
    assert list(place.iterdir()) == []
