"""The how-to pages do what they say. The store's contract suite runs on the page's store: tests/contract."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.in_process import without_children
from support.pages import blocks, example
from support.place import small_database
from support.snapshots import exported, memory_database, rows, there_and_back

from duckback import Duckback
from duckback.api.wiring import Wiring
from duckback.errors import Unsupported
from duckback.model.column_types import STORAGE, Storage
from duckback.routes import FULL_EXPORT, ROUTES
from tools.documents import ROOT

UUIDS = ["CREATE TABLE t (x UUID)", "INSERT INTO t VALUES (uuid()), (NULL), ('ffffffff-ffff-ffff-ffff-ffffffffffff')"]


@pytest.fixture
def backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Duckback:
    without_children(monkeypatch)
    return Duckback(repo=tmp_path / "repo", state_dir=tmp_path / "state", threads=1)


@pytest.mark.parametrize(
    ("page", "file"),
    [
        ("howto/new-store.md", "src/duckback/store/sqlite.py"),
        ("howto/new-processor.md", "src/duckback/processors/x.py"),
    ],
)
def test_the_examples_are_written_as_the_house_writes(page: str, file: str) -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(ROOT / file), "-"],
            input=blocks(page)[0],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def test_a_database_is_backed_up_to_the_new_store_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = example("howto/new-store.md", "howto_store").SqliteStore(tmp_path / "objects.sqlite")
    monkeypatch.setattr("duckback.api.keeping.open_store", lambda url, s3, lock: store)
    without_children(monkeypatch)
    backups = Duckback(repo="sqlite", state_dir=tmp_path / "state", threads=1)
    database = small_database(tmp_path / "small.duckdb")
    backups.backup(database)
    (verified,) = backups.verify(level="data").results
    assert verified.is_good
    backups.restore(tmp_path / "new.duckdb")
    query = "FROM duckdb_tables() SELECT table_name, estimated_size ORDER BY ALL"
    assert rows(tmp_path / "new.duckdb", query) == rows(database, query)


def test_the_new_processor_runs_in_its_route(
    tmp_path: Path, backups: Duckback, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = example("howto/new-processor.md", "howto_processor").WarnOfGrowth(100)
    at = FULL_EXPORT.processors.index("upload-duckdb-backup-to-s3") + 1
    names = (*FULL_EXPORT.processors[:at], processor.name, *FULL_EXPORT.processors[at:])
    monkeypatch.setattr("duckback.api.client.FULL_EXPORT", replace(FULL_EXPORT, processors=names))
    wired = Wiring.export
    monkeypatch.setattr(Wiring, "export", lambda *args: {**wired(*args), processor.name: processor})
    done = backups.backup(small_database(tmp_path / "small.duckdb"))
    assert done.status == "completed"
    assert [notice for notice in done.notices if "more than 100" in notice]
    assert processor.name in done.seconds


def test_a_route_that_names_what_is_not_wired_fails(
    tmp_path: Path, backups: Duckback, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = replace(FULL_EXPORT, processors=("warn-of-growth", *FULL_EXPORT.processors))
    monkeypatch.setattr("duckback.api.client.FULL_EXPORT", route)
    with pytest.raises(KeyError, match="warn-of-growth"):
        backups.backup(small_database(tmp_path / "small.duckdb"))


def test_files_and_classes_are_called_as_their_processors() -> None:
    files = {path.stem for path in (ROOT / "src/duckback/processors").glob("*.py")} - {"__init__"}
    assert {file.replace("_", "-") for file in files} == {name for route in ROUTES for name in route.names}
    for file in files:
        module = import_module(f"duckback.processors.{file}")
        assert getattr(module, file.title().replace("_", "")).name == file.replace("_", "-")


def test_a_type_that_is_not_in_the_table_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Another table, and not that one without a row: others go by the order of its rows.
    rest = {kind: storage for kind, storage in STORAGE.items() if kind != "uuid"}
    monkeypatch.setattr("duckback.model.column_types.STORAGE", rest)
    with memory_database(tmp_path, *UUIDS) as con, pytest.raises(Unsupported, match="UUID") as refused:
        exported(con, tmp_path)
    assert refused.value.exit_code == 30


@pytest.mark.parametrize("storage", [Storage.AS_IS, Storage.TEXT])
def test_a_type_comes_back_in_each_way_that_fits_it(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("duckback.model.column_types.STORAGE", STORAGE | {"uuid": storage})
    restored = there_and_back(tmp_path, *UUIDS)
    assert rows(restored, "SELECT typeof(x), count(*), count(x), max(x)::VARCHAR FROM t GROUP BY ALL") == [
        ("UUID", 3, 2, "ffffffff-ffff-ffff-ffff-ffffffffffff")
    ]


def test_the_look_at_what_parquet_makes_of_a_type_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    example("howto/new-type.md", "howto_type")
    assert capsys.readouterr().out == "comes back as UUID and is the same\n"
    monkeypatch.setattr("support.pages.blocks", lambda page: [look_at("TIMETZ", "'12:00:00+05:30'")])
    example("howto/new-type.md", "howto_type")
    assert capsys.readouterr().out.endswith("and is another\n")


def look_at(kind: str, value: str) -> Any:
    (code,) = blocks("howto/new-type.md")
    first, line, rest = code.partition("TYPE, VALUES = ")
    return f'{first}{line}"{kind}", ["{value}"]\n{rest.partition(chr(10))[2]}'
