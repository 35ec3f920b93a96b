"""A disk that is full: a clear error, and nothing half-written stays."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.place import Place, Ran, small_database

_BIG = "CREATE TABLE t AS SELECT hash(i) AS a, hash(i, 1) AS b FROM range(60000) r(i)"

# Where no file system can be mounted, a limit of a file's size makes the same writes fail (with EFBIG).
_LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
from duckback.cli.app import run
sys.exit(run(sys.argv[1:]))
"""

Small = Callable[[Path], bool]


@pytest.fixture
def small_disk() -> Iterator[Small]:
    """Makes a directory a disk of 300 kB, if this user may; tells whether."""
    with ExitStack() as mounted:

        def make(path: Path) -> bool:
            path.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(path)]
            if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
                return False
            mounted.callback(subprocess.run, ["umount", str(path)], check=True)
            return True

        yield make


def attempt(place: Place, *, is_mounted: bool, arguments: list[object], repo: Path | None = None) -> Ran:
    command = place.command(*map(str, arguments), repo=repo)
    if not is_mounted:
        command = [sys.executable, "-c", _LIMITED, *command[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place.root)
    return Ran(done.returncode, done.stdout, done.stderr)


def test_full_staging_fails_the_backup_and_is_empty_afterwards(place: Place, small_disk: Small) -> None:
    source = small_database(place.root / "small.duckdb", _BIG)
    staging = place.root / "disk"
    is_mounted = small_disk(staging)
    ran = attempt(place, is_mounted=is_mounted, arguments=["backup", source, "--staging-dir", staging])
    ran.failed(30, "No space left" if is_mounted else "File too large")
    assert list(staging.iterdir()) == []
    assert place.manifests() == place.objects() == []
    assert len(place.messages()) == 1
    place.run("backup", source).worked()


def test_full_repository_fails_the_backup_and_nothing_half_written_stays(place: Place, small_disk: Small) -> None:
    source = small_database(place.root / "small.duckdb", _BIG)
    repo = place.root / "disk"
    is_mounted = small_disk(repo)
    ran = attempt(place, is_mounted=is_mounted, arguments=["backup", source], repo=repo)
    ran.failed(40 if is_mounted else 30, "No space left" if is_mounted else "File too large")
    assert [path.name for path in repo.rglob("*") if path.is_file()] == ["repository.json"]
    assert place.staged() == []
    assert place.run("list", "--json", repo=repo).worked().json["backups"] == []


def test_full_disk_of_the_target_fails_the_restore_and_leaves_nothing(place: Place, small_disk: Small) -> None:
    place.run("backup", small_database(place.root / "small.duckdb", _BIG)).worked()
    disk = place.root / "disk"
    is_mounted = small_disk(disk)
    ran = attempt(place, is_mounted=is_mounted, arguments=["restore", disk / "new.duckdb"])
    ran.failed(30)
    assert list(disk.iterdir()) == []
    assert place.staged() == []


def test_staging_that_cannot_be_made_is_told(place: Place) -> None:
    (place.root / "file").touch()
    place.run("backup", place.database, "--staging-dir", place.root / "file").failed(30, "--staging-dir")
