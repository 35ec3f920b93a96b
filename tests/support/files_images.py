"""Images of database files, and what they are compared with."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from support.engines import environment
from support.files_writers import Application, Refused

from duckback.source.image.take import take_image

NAMESPACE = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
"""Begins the command line of a process that may mount."""


def taken(path: Path, folder: Path, seconds: float = 2) -> Path:
    """An image of a database that another process may have open."""
    (directory := folder / f"image-{uuid4()}").mkdir()
    return take_image(path, directory, seconds=seconds).path


def files_of(path: Path) -> dict[str, bytes]:
    """The database file and what is beside it under its name."""
    return {each.name: each.read_bytes() for each in path.parent.glob(f"{path.name}*")}


def copied(path: Path, folder: Path) -> Path:
    """A copy of the files of a database that nobody has open."""
    (directory := folder / f"copy-{uuid4()}").mkdir()
    for name in files_of(path):
        shutil.copy(path.with_name(name), directory)
    return directory / path.name


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.001)


def abort_checkpoints(app: Application, engine: str) -> None:
    """Let its checkpoints fail before they write a header; everything after that is refused."""
    app.run(f"{'PRAGMA' if engine == '1.4' else 'SET'} debug_checkpoint_abort = 'before_header'")


def fail_in_checkpoint(app: Application, engine: str) -> None:
    """Let it begin a checkpoint that comes to nothing."""
    abort_checkpoints(app, engine)
    with pytest.raises(Refused, match="abort"):
        app.run("CHECKPOINT")


def crash_with_two_logs(app: Application, path: Path, engine: str, statement: str) -> None:
    """Kill it in the middle of a checkpoint during which that statement was committed."""
    abort_checkpoints(app, engine)
    app.run("SET debug_checkpoint_sleep_ms = 5000")
    wal, second = Path(f"{path}.wal"), Path(f"{path}.wal.checkpoint")
    size = wal.stat().st_size
    app.begin("CHECKPOINT", "checkpointer")
    until(lambda: wal.stat().st_size > size)
    app.run(statement)
    assert second.exists()
    app.kill()


def crash_in_recovery(path: Path, engine: str, point: str) -> None:
    """Open the database, and let the recovery end at that point of its code."""
    code = "import duckdb, sys; duckdb.connect(sys.argv[1], config={'debug_checkpoint_abort': sys.argv[2]})"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), point], env=environment(engine), stderr=subprocess.PIPE, check=False
    )
    assert done.returncode, done
