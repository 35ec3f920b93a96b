"""What people get wrong at the source or the target: a clear error, its exit code, and nothing lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.place import Place, small_database

from duckback.source.demo import damage

_HOLDER = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"

_ENCRYPTED = "SET force_mbedtls_unsafe = 'true'; ATTACH '{path}' AS s (ENCRYPTION_KEY 'k'); CREATE TABLE s.t (i INT)"


def test_no_such_file_is_named_and_not_made(place: Place) -> None:
    missing = place.root / "missing.duckdb"
    place.run("backup", missing).failed(30, f"there is no database file {missing}")
    assert not missing.exists()
    assert place.manifests() == []


def test_directory_is_no_database(place: Place) -> None:
    (place.root / "folder").mkdir()
    place.run("backup", place.root / "folder").failed(30, "is not a file")


@pytest.mark.parametrize("content", [b"", b"just some text, longer than a header" * 500], ids=["empty", "text"])
def test_other_file_is_no_database_and_stays_as_it_is(place: Place, content: bytes) -> None:
    path = place.root / "notes.duckdb"
    path.write_bytes(content)
    place.spawn("backup", path).failed(30, f"{path} is not a DuckDB database")
    assert path.read_bytes() == content
    assert place.staged() == []


def test_name_too_long_for_the_file_system_is_told_without_a_traceback(place: Place) -> None:
    ran = place.run("backup", place.root / ("x" * 300))
    assert ran.code in {1, 30}
    ran.failed(ran.code, "too long")


def test_file_open_in_another_process_is_refused_with_its_pid_if_it_is_to_be_opened_in_place(place: Place) -> None:
    command = [sys.executable, "-c", _HOLDER, str(place.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        direct = place.run("backup", place.database, "--capture", "direct")
        direct.failed(30, "open in another process", f"(PID {holder.pid})", "--capture")
        assert holder.stdin is not None
        holder.stdin.close()
        assert holder.wait(30) == 0
    assert place.messages()[0].endswith(f"(PID {holder.pid})")
    place.run("backup", place.database).worked()


def test_truncated_database_is_refused_and_the_failure_is_on_record(place: Place) -> None:
    path = small_database(place.root / "cut.duckdb", "CREATE TABLE t AS SELECT hash(i) h FROM range(300000) r(i)")
    os.truncate(path, path.stat().st_size // 2)
    ran = place.run("backup", path)
    ran.failed(30)
    assert place.manifests() == []
    assert place.objects() == []
    assert place.staged() == []
    assert len(place.messages()) == 1
    assert place.messages()[0] in ran.err


def test_damaged_database_is_refused(place: Place) -> None:
    path = small_database(place.root / "bad.duckdb", "CREATE TABLE t AS SELECT hash(i) h FROM range(300000) r(i)")
    damage(path)
    place.run("backup", path).failed(30)
    assert place.manifests() == []


def test_encrypted_database_without_its_key_is_refused(place: Place) -> None:
    path = place.root / "secret.duckdb"
    small_database(place.root / "other.duckdb", _ENCRYPTED.format(path=path))
    place.run("backup", path).failed(30, "encrypted")
    assert place.manifests() == []


def test_empty_database_is_a_backup_of_no_tables_and_comes_back(place: Place) -> None:
    path = small_database(place.root / "empty.duckdb", "SELECT 1")
    answer = place.run("backup", path, "--json").worked().json
    assert (answer["rows"], answer["objects_added"], answer["bytes_added"]) == (0, 0, 0)
    restored = place.run("restore", place.target, "--json").worked().json
    assert (restored["rows"], restored["tables"]) == (0, 0)
    assert place.target.exists()
    place.run("verify").worked()


def present_before(target: Path, suffix: str) -> Path:
    path = target.with_name(target.name + suffix)
    path.write_bytes(b"precious")
    return path


@pytest.mark.parametrize("suffix", ["", ".wal", ".wal.checkpoint", ".wal.recovery"])
def test_existing_target_or_side_file_is_refused_and_stays(full: Place, suffix: str) -> None:
    path = present_before(full.target, suffix)
    full.run("restore", full.target).failed(2, "the target exists", path.name, "--force")
    assert path.read_bytes() == b"precious"
    assert full.beside_target() == [path.name]
    assert full.staged() == []


@pytest.mark.parametrize("options", [[], ["--force"]], ids=["plain", "force"])
def test_directory_as_target_is_refused_even_with_force(full: Place, options: list[str]) -> None:
    full.target.mkdir()
    (full.target / "file").touch()
    full.run("restore", full.target, *options).failed(2, "is a directory")
    assert (full.target / "file").exists()


def test_target_open_in_another_process_is_not_moved_away_by_force(full: Place) -> None:
    small_database(full.target)
    before = full.target.read_bytes()
    command = [sys.executable, "-c", _HOLDER, str(full.target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        full.run("restore", full.target, "--force").failed(30, "another process has")
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(30)
    assert full.target.read_bytes() == before
    assert full.beside_target() == ["small.duckdb"]


def test_target_where_nothing_can_be_made_is_a_plain_error(full: Place) -> None:
    full.run("restore", "/proc/none.duckdb").failed(30, "/proc/none.duckdb")
    full.run("restore", full.database / "below-a-file.duckdb").failed(30)


HOSTILE = [
    'quote " double', "quote ' single", "a/b", "a\\b", "dots.and.more", "..", ".", "../../etc/passwd", " ", "two  words",
    "ünï¢ödé ✓ 表", "x" * 255, "é" * 255, "%2E%2E", "a~b", 't"; DROP TABLE "x"; --', "select", "tab\tand\nline", "rowid",
]  # fmt: skip


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_tables_of_hostile_names_are_backed_up_and_come_back(place: Place) -> None:
    made = [f"CREATE TABLE {quoted(name)} AS SELECT {n} AS {quoted(name)}" for n, name in enumerate(HOSTILE)]
    source = small_database(place.root / "small.duckdb", "; ".join(made))
    place.run("backup", source).worked()
    outside = [path for path in place.repo.rglob("*") if not path.resolve().is_relative_to(place.repo)]
    assert outside == []
    assert len(place.objects()) == len(HOSTILE)
    place.run("verify").worked()
    place.run("restore", place.target).worked()
    assert place.restored_is_equal()


@pytest.mark.parametrize("name", ["../escape", "..", "ünï ✓/" * 40, "manifests"])
def test_databases_of_hostile_names_stay_in_the_repository(place: Place, name: str) -> None:
    source = small_database(place.root / "source.duckdb", "CREATE TABLE t AS SELECT 1 AS i")
    place.run("backup", source, "--name", name).worked()
    assert place.run("list", "--json").json["backups"][0]["name"] == name
    place.run("restore", place.target, "--name", name).worked()
    assert sorted(path.name for path in place.root.iterdir()) == ["repo", "source.duckdb", "state", "target"]


def test_schemas_of_hostile_names_come_back(place: Place) -> None:
    sql = "; ".join(f"CREATE SCHEMA {quoted(n)}; CREATE TABLE {quoted(n)}.t AS SELECT 1 AS i" for n in HOSTILE[:8])
    place.run("backup", small_database(place.root / "small.duckdb", sql)).worked()
    place.run("restore", place.target).worked()
    assert place.restored_is_equal()
