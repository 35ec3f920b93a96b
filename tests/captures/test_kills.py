"""A killed backup leaves its image to nobody but the next backup, which removes it."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.files_images import files_of, until
from support.files_writers import Application
from support.place import Place
from support.snapshots import can_be_opened_elsewhere, rows


def images(place: Place) -> list[Path]:
    folder = place.state / "images"
    return sorted(folder.iterdir()) if folder.exists() else []


def has_a_directory(place: Place) -> bool:
    return bool(images(place))


def has_an_image(place: Place) -> bool:
    return any(path.stat().st_size for folder in images(place) for path in folder.glob("image.duckdb"))


def has_the_log(place: Place) -> bool:
    return any(path.stat().st_size for folder in images(place) for path in folder.glob("image.duckdb.wal"))


def has_exported_rows(place: Place) -> bool:
    return any(place.state.rglob("*.parquet"))


def is_running(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("moment", [has_a_directory, has_an_image, has_the_log, has_exported_rows])
def test_a_backup_that_is_killed_leaves_a_private_image_that_the_next_one_removes(
    place: Place, moment: Callable[[Place], bool]
) -> None:
    path = place.root / "a.duckdb"
    with Application(path) as app:
        app.run("CREATE TABLE t AS SELECT i, hash(i) h, hash(i, 1) h2 FROM range(200000) r(i)", "CHECKPOINT")
        app.run("INSERT INTO t VALUES (-1, 1, 1)")
        before = files_of(path)
        # Whatever the caller's umask: nobody else may read rows.
        child = subprocess.Popen(place.command("backup", path), stdout=subprocess.DEVNULL, cwd=place.root, umask=0)
        try:
            until(lambda: moment(place) or child.poll() is not None)
            workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        finally:
            child.kill()
            child.wait()
        until(lambda: not any(is_running(worker) for worker in workers))
        [left] = images(place)
        assert stat.S_IMODE(left.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in left.iterdir()} <= {0o600}
        assert files_of(path) == before
        assert not can_be_opened_elsewhere(path)

        place.run("backup", path).worked()
        assert images(place) == place.staged() == []
        assert len(place.backup_ids()) == 1


def test_an_image_that_is_kept_survives_a_kill_and_is_made_right(place: Place) -> None:
    path = place.root / "a.duckdb"
    with Application(path) as app:
        app.run("CREATE TABLE t AS SELECT i, hash(i) h FROM range(100000) r(i)", "CHECKPOINT")
        command = place.command("backup", path, "--keep-image")
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=place.root)
        try:
            until(lambda: has_an_image(place) or child.poll() is not None)
        finally:
            child.kill()
            child.wait()
        [kept] = images(place)
        image = kept / "image.duckdb"
        os.truncate(image, image.stat().st_size // 2)
        app.run("UPDATE t SET h = i", "CHECKPOINT")
        place.run("backup", path, "--keep-image").worked()
        assert images(place) == [kept]
        place.run("restore", place.target).worked()
        assert rows(place.target, "SELECT count(*) FROM t WHERE h = i") == [(100_000,)]
        place.run("backup", path).worked()
        assert images(place) == []
