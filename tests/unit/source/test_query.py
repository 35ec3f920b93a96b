"""A query of a backup reads what it needs of that backup, and nothing else, whatever it or the manifest say."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.snapshots import exported, manifest_of, memory_database, resources

from duckback.errors import DuckbackError, SourceError, UsageError
from duckback.model.catalog import Catalog, Macro, MacroOverload, View
from duckback.model.manifest import Manifest
from duckback.model.progress import unheard
from duckback.source.jobs import Caller, QueryBackup, StoreAddress
from duckback.source.query import query_backup
from duckback.source.script import script_of
from duckback.store.local import LocalStore
from duckback.store.s3_options import S3Options

_MADE = (
    "CREATE TABLE people AS SELECT i, 'person ' || i AS name, random() AS noise FROM range(300000) t(i)",
    "CREATE TABLE other AS SELECT 7 AS i",
    "CREATE MACRO hidden() AS TABLE FROM query_table('ot' || 'her')",
    "CREATE VIEW few AS FROM people WHERE i < 5",
)


class Backup:
    """A backup of a few files, asked in this process."""

    def __init__(self, folder: Path, *statements: str) -> None:
        with memory_database(folder, *statements) as con:
            self.manifest, self.files = manifest_of(*exported(con, folder))
        self.folder = folder
        self.asked_for: list[str] = []
        (folder / "answer").mkdir()

    def job(self, sql: str, **changes: Any) -> QueryBackup:
        values: dict[str, Any] = {
            "manifest": self.manifest,
            "sql": sql,
            "form": "rows",
            "answer": self.folder / "answer" / "rows",
            "local": self.files,
            "store": StoreAddress(url=str(self.folder), s3=S3Options()),
            "resources": resources(self.folder),
        }
        return QueryBackup(**(values | changes))

    def ask(self, sql: str, **changes: Any) -> list[list[Any]]:
        job = self.job(sql, **changes)
        query_backup(job, Caller(unheard, self._fetch))
        return [json.loads(line) for line in job.answer.read_text().splitlines()]

    def _fetch(self, keys: Any) -> dict[str, Path]:
        self.asked_for += keys
        return {key: self.files[key] for key in keys}


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Backup:
    return Backup(tmp_path_factory.mktemp("asked"), *_MADE)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("DROP VIEW people", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("INSERT INTO people VALUES (1, 'x')", "one SELECT"),
        ("SET enable_external_access = true", "one SELECT"),
        ("COPY people TO '{folder}/x.csv'", "one SELECT"),
        ("ATTACH '{folder}/x.duckdb'", "one SELECT"),
        ("EXPORT DATABASE '{folder}/x'", "one SELECT"),
        ("INSTALL httpfs", "one SELECT"),
        ("", "one SELECT"),
        ("SELEKT 1", "SELEKT"),
        ("FROM nowhere", "nowhere"),
        ("SELECT 1) TO '/tmp/x.csv'; --", "syntax error"),
        ("FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("FROM '{folder}/other.csv'", "disabled by configuration"),
        ("FROM glob('{folder}/**')", "disabled by configuration"),
        ("FROM read_csv('https://127.0.0.1/x.csv')", "disabled"),
        ("FROM sql", "sql"),
        ("SELECT error('late') FROM people", "late"),
    ],
)
def test_a_query_reads_the_backup_and_nothing_else(backup: Backup, sql: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        backup.ask(sql.format(folder=backup.folder))


def test_only_tables_whose_names_come_up_are_opened(backup: Backup) -> None:
    name_of = {ref.key: table.name for table in backup.manifest.tables for ref in table.refs}

    def opened(sql: str) -> set[str]:
        backup.asked_for.clear()
        backup.ask(sql)
        return {name_of[key] for key in backup.asked_for}

    assert opened("SELECT count(*) FROM FEW") == {"people"}
    assert opened('SELECT count(*) FROM main."OTHER"') == {"other"}
    assert opened("SHOW TABLES") == set()
    assert opened("DESCRIBE SELECT 1") == set()
    # A name that is put together from pieces is no name in the text: then all are opened.
    assert opened("FROM hidden()") == {"people", "other"}
    assert backup.ask("FROM hidden()") == [[7]]


def test_by_ranges_a_query_reads_the_columns_and_row_groups_that_it_needs(
    backup: Backup, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path)
    (ref,) = next(table for table in backup.manifest.tables if table.name == "people").objects
    store._path(ref.key).parent.mkdir(parents=True)
    store._path(ref.key).write_bytes(backup.files[ref.key].read_bytes())
    moved: list[int] = []

    def read(self: LocalStore, key: str, first: int, count: int) -> bytes:
        moved.append(count)
        return whole(self, key, first, count)

    whole = LocalStore.read
    monkeypatch.setattr(LocalStore, "read", read)
    monkeypatch.setattr(backup, "_fetch", lambda _: {})
    place = {"local": {}, "store": StoreAddress(url=str(tmp_path), s3=S3Options())}

    def bytes_of(sql: str, expected: object) -> int:
        moved.clear()
        assert backup.ask(sql, **place) == [[expected]]
        return sum(moved)

    assert 0 < bytes_of("SELECT count(*) FROM people", "300000") < 150_000
    one = bytes_of("SELECT name FROM people WHERE i = 5", "person 5")
    every = bytes_of("SELECT sum(length(name))::INTEGER FROM people", 3_788_890)
    assert one < every < ref.size
    assert bytes_of("SELECT sum(noise) > 0 FROM people", True) < ref.size
    with pytest.raises(UsageError, match="disabled"):
        backup.ask("FROM read_parquet('duckback://elsewhere.parquet')", **place)


HOSTILE = {
    "a view that reads a file": {"views": (View(schema_name="main", name="few", sql="CREATE VIEW few AS FROM '{s}'"),)},
    "a view that is no view": {"views": (View(schema_name="main", name="few", sql="COPY people TO '{s}'"),)},
    "a view with more behind it": {
        "views": (View(schema_name="main", name="few", sql="CREATE VIEW few AS SELECT 1; COPY people TO '{s}'"),)
    },
    "a macro that breaks out": {
        "macros": (
            Macro(
                schema_name="main",
                name="few",
                kind="table",
                overloads=(MacroOverload(parameters=(), definition="SELECT 1; COPY people TO '{s}'"),),
            ),
        )
    },
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_forged_catalogue_does_not_get_out(backup: Backup, change: dict[str, Any], tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n17171717\n")
    catalog = json.loads(
        backup.manifest.catalog.model_copy(update=change).model_dump_json().replace("{s}", str(secret))
    )
    forged = backup.manifest.model_copy(update={"catalog": Catalog.model_validate_json(json.dumps(catalog))})
    _is_shut_in(backup, forged, secret)


@pytest.mark.parametrize("part", ["type", "generated", "collation"])
def test_a_forged_column_does_not_get_out(backup: Backup, part: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n17171717\n")
    break_out = {
        "type": f"BIGINT AS i FROM '{secret}'; COPY other TO '{secret}'; --",
        "generated": f"1) AS i FROM '{secret}'; COPY other TO '{secret}'; --",
        "collation": f"NOCASE AS i FROM '{secret}'; COPY other TO '{secret}'; --",
    }
    (other,) = [table for table in backup.manifest.catalog.tables if table.name == "other"]
    column = other.columns[0].model_copy(update={part: break_out[part]})
    rest = tuple(table for table in backup.manifest.catalog.tables if table is not other)
    catalog = backup.manifest.catalog.model_copy(
        update={"tables": (*rest, other.model_copy(update={"columns": (column,)}))}
    )
    _is_shut_in(backup, backup.manifest.model_copy(update={"catalog": catalog}), secret)


def _is_shut_in(backup: Backup, forged: Manifest, secret: Path) -> None:
    with suppress(DuckbackError):
        places = {key: str(path) for key, path in backup.files.items()}
        assert "COPY" not in script_of(forged, places, resources(backup.folder))
    for sql in ("FROM other", "FROM few"):
        try:
            answer = backup.ask(sql, manifest=forged)
        except DuckbackError:
            answer = []
        assert "17171717" not in str(answer)
        assert secret.read_text() == "a\n17171717\n"


def test_an_object_that_is_no_parquet_names_its_table(backup: Backup) -> None:
    key = next(table for table in backup.manifest.tables if table.name == "other").objects[0].key
    damaged = backup.folder / "damaged.parquet"
    damaged.write_bytes(b"PAR1 nothing")
    genuine = backup.files[key]
    backup.files[key] = damaged
    try:
        with pytest.raises(SourceError, match="other"):
            backup.ask("FROM other")
    finally:
        backup.files[key] = genuine
