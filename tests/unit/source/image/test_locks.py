"""Who writes a file, and which files a process has open, is told without a lock, whatever happens meanwhile."""

from pathlib import Path

import pytest
from support.engines import ENGINES
from support.files_writers import Application
from support.snapshots import can_be_opened_elsewhere, python_process

from duckback.errors import Unsupported
from duckback.source.image.locks import open_files, writer_of, writes_directly
from duckback.source.image.take import take_image

DIRECT_WRITER = """
    import fcntl, os, sys
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
    fcntl.lockf(fd, fcntl.LOCK_EX)
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_the_writer_is_told_and_keeps_its_lock(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path, engine) as app:
        app.run("CREATE TABLE t (i INT)")
        with path.open("rb") as file:
            assert writer_of(file.fileno()) == app.pid
        opened = open_files(app.pid)
        assert opened is not None
        assert {path, Path(f"{path}.wal")} <= set(opened)
        assert not writes_directly(app.pid, path.stat())
        assert not can_be_opened_elsewhere(path)
    with path.open("rb") as file:
        assert writer_of(file.fileno()) is None


def test_a_file_that_is_only_read_elsewhere_has_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path) as app:
        app.close()
    with Application(path, options="READ_ONLY"), path.open("rb") as file:
        assert writer_of(file.fileno()) is None


def test_a_process_that_is_gone_cannot_be_looked_at(tmp_path: Path) -> None:
    with python_process("print(1)") as process:
        process.wait()
    assert open_files(process.pid) is None
    assert not writes_directly(process.pid, tmp_path.stat())


def test_files_that_a_process_closes_while_they_are_listed_hide_no_others() -> None:
    code = "import os\nprint(1, flush=True)\nwhile True:\n os.close(os.open('/dev/null', 0))"
    with python_process(code) as process:
        for _ in range(1500):
            assert open_files(process.pid) is not None
            assert not writes_directly(process.pid, Path("/dev/zero").stat())


def test_a_file_that_is_written_past_the_page_cache_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path) as app:
        app.run("CREATE TABLE t (i INT)")
        app.close()
    (directory := tmp_path / "image").mkdir()
    with python_process(DIRECT_WRITER, path) as process:
        assert writes_directly(process.pid, path.stat())
        assert not writes_directly(process.pid, tmp_path.stat())
        with pytest.raises(Unsupported, match="DIRECT_IO") as failure:
            take_image(path, directory, seconds=0)
    assert "snapshot" in failure.value.hint
    assert list(directory.iterdir()) == []
