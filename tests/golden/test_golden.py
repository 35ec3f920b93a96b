"""A repository of format 1, written once: it restores for ever, and with nothing but DuckDB and sha256sum too."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
from golden.make import rows_of

from duckback import Duckback
from duckback.model.tombstone import Done, Plan, Tombstone, parse

HERE = Path(__file__).parent
GOLDEN = HERE / "format-1"
EXPECTED: dict[str, dict[str, list[list[Any]]]] = json.loads((HERE / "expected-1.json").read_text(encoding="utf-8"))
MANIFESTS = {path.stem: path for path in GOLDEN.glob("hot/manifests/*.json")}
SHA256_OF_ALL = "97d36cd3682a7f9e91b8a5b060bb2d5fbf24939e9e3c145301b6d0d2bdd17185"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A copy: what reads it may add proofs."""
    shutil.copytree(GOLDEN, tmp_path / "repo")
    return tmp_path / "repo"


def connected(path: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(path)
    con.execute("SET TimeZone = 'UTC'")
    return con


def test_nobody_has_written_to_it_since() -> None:
    digest = hashlib.sha256()
    files = sorted(path for path in GOLDEN.rglob("*") if path.is_file())
    for path in files:
        digest.update(f"{path.relative_to(GOLDEN)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    assert digest.hexdigest() == SHA256_OF_ALL
    assert sum(path.stat().st_size for path in files) < 200_000


def test_it_has_what_a_repository_can_have() -> None:
    manifests = [json.loads(path.read_bytes()) for path in MANIFESTS.values()]
    assert {one["scope"] for one in manifests} == {"full", "incremental"}
    assert any(table["removed"] for one in manifests for table in one["tables"])
    (stone,) = [path for path in GOLDEN.glob("hot/pruned/*.json") if path.stem.count(".") == 0]
    assert parse(Tombstone, stone.read_bytes(), source="x").cause == "retention"
    for kind, ending in ((Plan, "plan"), (Done, "done")):
        assert parse(kind, stone.with_suffix(f".{ending}.json").read_bytes(), source="x").backup_id  # type: ignore[attr-defined]  # both have it
    # What was pruned wrote objects that a younger backup still needs.
    assert any(stone.stem in ref["key"] for one in manifests for table in one["tables"] for ref in table["objects"])
    assert {path.name.split("-")[5] for path in GOLDEN.glob("hot/proofs/*/*.json")} == {"data", "restore"}


@pytest.mark.parametrize("backup", sorted(MANIFESTS))
def test_every_backup_comes_back(repo: Path, tmp_path: Path, backup: str) -> None:
    duckback = Duckback(repo, state_dir=tmp_path / "state", threads=1)
    done = duckback.restore(tmp_path / "restored.duckdb", backup=backup)
    assert done.deferred == ()
    with connected(tmp_path / "restored.duckdb") as con:
        assert rows_of(con) == EXPECTED[backup]
        assert con.execute("SELECT count(*) FROM loud").fetchone() != (0,)


def test_it_verifies_and_lists(repo: Path, tmp_path: Path) -> None:
    duckback = Duckback(repo, state_dir=tmp_path / "state", threads=1)
    listed = duckback.backups()
    assert [str(one.summary.backup_id) for one in listed] == sorted(MANIFESTS)
    assert {one.status for one in listed} == {"verified"}
    assert [one.pin is not None for one in listed] == [True, False, False, False]
    assert all(result.is_good for result in duckback.verify(level="data").results)


def sha256sum(path: Path, *, but: int = 0) -> str:
    """By the tool of that name, of all but the last bytes."""
    command = f"head -c -{but} '{path}' | sha256sum" if but else f"sha256sum < '{path}'"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.split()[0]


def read_back(name: str, of: str) -> str:
    """As docs/fidelity.md says."""
    quoted = '"' + name.replace('"', '""') + '"'
    if of == "INTERVAL":
        parts = (("to_months", "months"), ("to_days", "days"), ("to_microseconds", "micros"))
        return "(" + " + ".join(f"{make}(struct_extract({quoted}, '{part}'))" for make, part in parts) + ")::INTERVAL"
    return f"({quoted})::{of}"


def by_hand(manifest: Any, con: duckdb.DuckDBPyConnection) -> None:
    """The steps of docs/format.md, "Restoring with nothing but a DuckDB shell"."""
    catalog = manifest["catalog"]
    for schema in catalog["schemas"][1:]:
        con.execute(f"CREATE SCHEMA {schema['name']}")
    for kind in catalog["types"]:
        con.execute(f"CREATE TYPE {kind['name']} AS {kind['definition']}")
    for table in catalog["tables"]:
        con.execute(table["sql"])
    rows = {(table["schema_name"], table["name"]): table for table in manifest["tables"]}
    for table in catalog["tables"]:
        held = rows[table["schema_name"], table["name"]]
        stored = [column for column in table["columns"] if column["generated"] is None]
        names = ", ".join('"' + column["name"].replace('"', '""') + '"' for column in stored)
        values = ", ".join(read_back(column["name"], column["type"]) for column in stored)
        objects = [str(GOLDEN / ref["key"]) for ref in held["objects"]]
        source = f"read_parquet({objects}, file_row_number = true, hive_partitioning = false) p"
        if held["removed"]:
            endings = [".".join(ref["key"].rsplit("/", 1)[1].split(".")[2:-1]) for ref in held["objects"]]
            called = [f"{ref['backup_id']}.{ending}" for ref, ending in zip(held["objects"], endings, strict=True)]
            removed = [str(GOLDEN / ref["key"]) for ref in held["removed"]]
            gone = f"SELECT list_position({called}, object) - 1 AS number, row FROM read_parquet({removed})"
            source += f" ANTI JOIN ({gone}) gone ON p.file_index = gone.number AND p.file_row_number = gone.row"
        path = ".".join('"' + part.replace('"', '""') + '"' for part in (table["schema_name"], table["name"]))
        con.execute(f"INSERT INTO {path} ({names}) SELECT {values} FROM {source}")


@pytest.mark.parametrize("backup", sorted(MANIFESTS))
def test_it_comes_back_with_nothing_but_duckdb_and_sha256sum(backup: str) -> None:
    path = MANIFESTS[backup]
    manifest = json.loads(path.read_bytes())
    assert sha256sum(path, but=77) == path.read_bytes()[-66:-2].decode() == manifest["sha256"]
    for table in manifest["tables"]:
        for ref in (*table["objects"], *table["removed"]):
            assert sha256sum(GOLDEN / ref["key"]) == ref["sha256"]
    with connected() as con:
        by_hand(manifest, con)
        assert rows_of(con) == EXPECTED[backup]
