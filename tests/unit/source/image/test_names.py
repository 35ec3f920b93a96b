"""The write-ahead log is found beside whatever name the writer uses, or the database is refused."""

import os
from pathlib import Path

import pytest
from support.databases import database
from support.engines import ENGINES, INSTALLED
from support.files_images import NAMESPACE, taken
from support.files_writers import Application
from support.snapshots import rows

from duckback.errors import SourceError
from duckback.source.image import names
from duckback.source.image.locks import writer_of
from duckback.source.image.names import find_logs
from duckback.source.image.one_pass import one_pass
from duckback.source.image.target import Target

COUNT = "SELECT count(*) FROM t"


def table(path: Path) -> Path:
    return database(path, "CREATE TABLE t AS FROM range(3)")


@pytest.mark.parametrize("way", ["link", "x/../real"])
def test_a_path_through_a_linked_directory_has_one_log_not_two(tmp_path: Path, way: str) -> None:
    for name in ("real", "x"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("real")
    with Application(tmp_path / "real" / "a.duckdb") as app:
        app.run("CREATE TABLE t AS FROM range(3)")
        assert rows(taken(tmp_path / way / "a.duckdb", tmp_path), COUNT) == [(3,)]


@pytest.mark.parametrize("is_given_the_link", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_beside_a_symbolic_link_or_what_it_points_to_is_found_while_it_is_open(
    *, tmp_path: Path, engine: str, is_given_the_link: bool
) -> None:
    (tmp_path / "real").mkdir()
    path, link = tmp_path / "real" / "a.duckdb", tmp_path / "b.duckdb"
    with Application(path, engine) as app:
        app.run("CREATE TABLE t AS FROM range(3)")
        app.close()
    link.symlink_to(path)
    with Application(link, engine) as app:
        app.run("INSERT INTO t VALUES (9)")
        assert rows(taken(link if is_given_the_link else path, tmp_path), COUNT) == [(4,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_beside_the_hard_link_that_the_writer_uses_is_found_though_not_open(tmp_path: Path, engine: str) -> None:
    # After a replay DuckDB opens the log with the first commit only.
    a, b = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    with Application(a, engine) as app:
        app.run("CREATE TABLE t AS FROM range(3)")
        app.close()
    b.hardlink_to(a)
    with Application(b, engine) as app:
        app.run("INSERT INTO t VALUES (9)")
    with Application(b, engine) as app:
        assert app.run(COUNT) == [[4]]
        assert rows(taken(a, tmp_path), COUNT) == [(4,)]


def test_a_log_beside_the_name_in_the_writers_own_mounts_is_found(tmp_path: Path) -> None:
    # docker run -v /srv/a.duckdb:/data/app.duckdb
    path, other = table(tmp_path / "a.duckdb"), tmp_path / "data" / "app.duckdb"
    other.parent.mkdir()
    other.touch()
    launcher = (*NAMESPACE, "sh", "-c", f'mount --bind {path} {other} && exec "$@"', "sh")
    with Application(other, INSTALLED, launcher=launcher) as app:
        app.run("INSERT INTO t VALUES (9)")
        assert rows(taken(path, tmp_path), COUNT) == [(4,)]


def test_a_log_beside_a_link_is_refused_because_nobody_may_use_it(tmp_path: Path) -> None:
    # DuckDB 1.4 keeps it there, newer releases beside the file; replayed by mistake, it adds rows silently.
    (tmp_path / "real").mkdir()
    path, link = table(tmp_path / "real" / "a.duckdb"), tmp_path / "b.duckdb"
    link.symlink_to(path)
    Path(f"{link}.wal").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"b\.duckdb\.wal may be a dead one"):
        find_logs(link, path.stat(), None)
    with Application(path), path.open("rb") as file, pytest.raises(SourceError, match="may be a dead one"):
        find_logs(link, path.stat(), writer_of(file.fileno()))
    assert find_logs(path, path.stat(), None).stem == path


def test_a_writer_that_may_not_be_looked_at_leaves_a_doubt_unless_there_is_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(tmp_path / "a.duckdb")
    monkeypatch.setattr(names, "open_files", lambda process: None)
    with Application(path) as app:
        (directory := tmp_path / "image").mkdir()
        [notice] = one_pass(path, Target(directory / "image")).notices
        assert "may not be looked at" in notice
        app.run("INSERT INTO t VALUES (9)")
        assert find_logs(path, path.stat(), app.pid).is_certain
    assert find_logs(path, path.stat(), None).is_certain


def test_a_log_that_may_be_beside_a_name_we_cannot_know_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(tmp_path / "a.duckdb")
    (tmp_path / "b.duckdb").hardlink_to(path)
    with pytest.raises(SourceError, match="has other hard links"):
        find_logs(path, path.stat(), None)
    monkeypatch.setattr(names, "open_files", lambda process: None)
    with pytest.raises(SourceError, match="has other hard links"):
        find_logs(path, path.stat(), os.getpid())
    Path(f"{path}.wal").touch()
    assert find_logs(path, path.stat(), None).wal == tmp_path / "a.duckdb.wal"
