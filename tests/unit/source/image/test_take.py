"""Taking an image ends with one, or with an error that says what to do; either way nothing is left."""

import os
import shutil
import stat
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest
from support.databases import database
from support.files_images import NAMESPACE
from support.files_writers import Application
from support.place import Place, Ran
from support.snapshots import rows

from duckback.errors import SourceError, Unsupported
from duckback.source.image import filesystems
from duckback.source.image.one_pass import one_pass
from duckback.source.image.take import take_image
from duckback.source.image.target import Target

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 -- what shutil.disk_usage gives

BIG = "CREATE TABLE t AS SELECT hash(i) AS a, hash(i, 1) AS b FROM range(60000) r(i)"

# Runs what follows with a small disk at the place that comes first, and tells what is left there.
SMALL_DISK = 'mount -t tmpfs -o size=300k tmpfs "$0" && "$@"; code=$?; echo "left: $(ls -A "$0")" >&2; exit $code'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (path := tmp_path / "image").mkdir()
    return path


def test_images_are_their_owners_alone(tmp_path: Path, directory: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Application(path) as app:
        app.run("CREATE TABLE t AS FROM range(3)")
        path.chmod(0o644)
        take_image(path, directory, seconds=0)
        assert {name.name: stat.S_IMODE(name.stat().st_mode) for name in directory.iterdir()} == {
            "image.duckdb": 0o600,
            "image.duckdb.wal": 0o600,
        }


def test_an_image_is_not_written_through_a_link(tmp_path: Path, directory: Path) -> None:
    path = database(tmp_path / "a.duckdb")
    (tmp_path / "theirs").write_bytes(b"x")
    (directory / "image.duckdb").symlink_to(tmp_path / "theirs")
    with pytest.raises(SourceError, match=r"a\.duckdb cannot be captured: .*symbolic links"):
        take_image(path, directory, seconds=0)
    assert (tmp_path / "theirs").read_bytes() == b"x"


def test_a_file_that_is_not_there_is_waited_for_only_so_long(tmp_path: Path, directory: Path) -> None:
    path = tmp_path / "a.duckdb"
    path.touch()
    path.unlink()
    with pytest.raises(SourceError, match=r"a\.duckdb"):
        take_image(path, directory, seconds=0, allow_network=True)


def test_a_damaged_header_at_rest_is_no_matter_of_time(tmp_path: Path, directory: Path) -> None:
    path = database(tmp_path / "a.duckdb")
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match="the checksum of a header is wrong, though nobody has it open") as failure:
        take_image(path, directory, seconds=600)
    assert "restore it from a backup" in failure.value.hint


def test_a_network_file_system_is_refused_unless_allowed(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE t AS FROM range(3)")
    monkeypatch.setattr(filesystems, "kind_of", lambda *_: "nfs4")
    with pytest.raises(Unsupported, match="nfs4"):
        take_image(path, directory, seconds=0)
    image = take_image(path, directory, seconds=0, allow_network=True)
    assert rows(image.path, "SELECT count(*) FROM t") == [(3,)]


def test_no_room_is_told_before_anything_is_copied_and_only_what_is_missing_counts(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path / "a.duckdb", BIG)
    target = Target(directory / "image.duckdb", can_clone=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 100_000))
    with pytest.raises(SourceError, match=r"needs 1 MB, and .*image has 0 MB free") as failure:
        one_pass(path, target)
    assert "--image-dir" in failure.value.hint
    assert "--capture direct" in failure.value.hint
    assert target.path.stat().st_size == 0
    monkeypatch.undo()
    one_pass(path, target)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
    assert one_pass(path, target).path == target.path


def test_a_disk_that_fills_up_meanwhile_is_told_with_a_way_out(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path / "a.duckdb", BIG)

    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "copy_file_range", full)
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(SourceError, match=r"the disk of .*image is full: the image of .*a\.duckdb") as failure:
        take_image(path, directory, seconds=600)
    assert "--image-dir" in failure.value.hint


def test_a_full_disk_fails_the_backup_and_is_empty_afterwards(place: Place) -> None:
    path = database(place.root / "a.duckdb", BIG)
    (disk := place.root / "disk").mkdir()
    command = place.command("backup", path, "--image-dir", disk)
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", SMALL_DISK, str(disk), *command],
        capture_output=True, text=True, check=False, cwd=place.root,
    )  # fmt: skip
    Ran(done.returncode, done.stdout, done.stderr).failed(30, "image of", "--image-dir")
    assert done.stderr.endswith("left: \n")
    assert place.staged() == place.manifests() == []
    place.run("backup", path).worked()


def test_an_image_that_cannot_be_written_to_the_end_fails_the_backup_and_goes(place: Place) -> None:
    path = database(place.root / "a.duckdb", BIG)
    command = ["sh", "-c", 'ulimit -f 400; exec "$@"', "sh", *place.command("backup", path)]
    # What measures our coverage writes files of its own, and more than fits.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place.root, env=unmeasured)
    Ran(done.returncode, done.stdout, done.stderr).failed(30, "a.duckdb cannot be captured", "File too large")
    assert list((place.state / "images").iterdir()) == place.staged() == place.manifests() == []
