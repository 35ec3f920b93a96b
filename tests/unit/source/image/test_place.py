"""Images are where nobody else can read them, and what killed runs left goes."""

import fcntl
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.snapshots import python_process

from duckback.errors import SourceError
from duckback.source.image.place import ImageSettings, empty, image_directory
from duckback.source.scratch import Scratch

SWEEPER = """
    import sys
    from pathlib import Path
    from duckback.source.scratch import sweep
    print("ready", flush=True)
    for _ in sys.stdin:
        sweep(Path(sys.argv[1]), "image-")
        print("swept", flush=True)
"""


def kept_path(database: Path, settings: ImageSettings) -> Path:
    with image_directory(database, settings) as directory:
        return directory


@pytest.fixture
def keeping(tmp_path: Path) -> ImageSettings:
    return ImageSettings(tmp_path / "images", keep=True)


def test_a_directory_is_private_and_goes_with_what_is_in_it(tmp_path: Path) -> None:
    settings = ImageSettings(tmp_path / "images")
    with image_directory(tmp_path / "a.duckdb", settings) as directory:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (directory / "image.duckdb").touch()
    assert list(settings.directory.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), image_directory(tmp_path / "a.duckdb", settings):
        raise KeyboardInterrupt
    assert list(settings.directory.iterdir()) == []


def test_a_kept_directory_is_private_and_the_databases_own(tmp_path: Path, keeping: ImageSettings) -> None:
    kept = kept_path(tmp_path / "a.duckdb", keeping)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert kept_path(tmp_path / "a.duckdb", keeping) == kept
    assert kept_path(tmp_path / "b.duckdb", keeping) != kept


def test_while_another_run_uses_the_kept_directory_there_is_a_fresh_one(tmp_path: Path, keeping: ImageSettings) -> None:
    with image_directory(tmp_path / "a.duckdb", keeping) as kept:
        with image_directory(tmp_path / "a.duckdb", keeping) as fresh:
            assert fresh != kept
        with image_directory(tmp_path / "a.duckdb", ImageSettings(keeping.directory)):
            assert kept.is_dir()
        assert list(keeping.directory.iterdir()) == [kept]


def test_a_kept_directory_goes_when_keeping_is_switched_off(tmp_path: Path, keeping: ImageSettings) -> None:
    kept = kept_path(tmp_path / "a.duckdb", keeping)
    with image_directory(tmp_path / "a.duckdb", ImageSettings(keeping.directory)) as fresh:
        assert list(keeping.directory.iterdir()) == [fresh]
    assert not kept.exists()


def test_a_kept_directory_that_is_removed_before_it_is_locked_is_not_handed_out(
    tmp_path: Path, keeping: ImageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def meddle(fd: int, how: int) -> None:
        for path in keeping.directory.glob("kept-*"):
            shutil.rmtree(path)
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", meddle)
    with image_directory(tmp_path / "a.duckdb", keeping) as directory:
        assert directory.is_dir()


def test_a_kept_directory_that_somebody_else_prepared_is_refused(tmp_path: Path, keeping: ImageSettings) -> None:
    # Its name can be guessed, and what is in it would be open to others or written through a link.
    kept = kept_path(tmp_path / "a.duckdb", keeping)
    kept.chmod(0o777)
    with pytest.raises(SourceError, match="is not private to this user"):
        kept_path(tmp_path / "a.duckdb", keeping)
    kept.rmdir()
    (tmp_path / "theirs").mkdir(mode=0o700)
    kept.symlink_to(tmp_path / "theirs")
    with pytest.raises(SourceError, match="cannot make the directory"):
        kept_path(tmp_path / "a.duckdb", keeping)


def test_a_place_that_is_no_directory_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for keep in (True, False):
        with pytest.raises(SourceError) as failure:
            kept_path(tmp_path / "a.duckdb", ImageSettings(tmp_path / "file", keep=keep))
        assert "--image-dir" in failure.value.hint


def test_what_is_in_a_directory_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "folder" / "deeper").mkdir(parents=True)
    (tmp_path / "file").touch()
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_sweeps_at_a_time_do_not_disturb_one_another(tmp_path: Path) -> None:
    with python_process(SWEEPER, tmp_path) as one, python_process(SWEEPER, tmp_path) as other:
        for _ in range(8):
            for number in range(3):
                (folder := tmp_path / f"image-{number}").mkdir(mode=0o700)
                for name in range(50):
                    (folder / str(name)).touch()
            for process in (one, other):
                assert process.stdin
                process.stdin.write("now\n")
                process.stdin.flush()
            for process in (one, other):
                assert process.stdout
                assert process.stdout.readline() == "swept\n"
            assert list(tmp_path.iterdir()) == []


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that another user can reach, too."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o1777)
        yield Path(name)


def test_another_users_image_in_the_same_directory_is_left_alone(shared: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom duckback.source.scratch import sweep\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "sweep(Path(sys.argv[1]), 'image-')"
    )
    with Scratch(shared, "image-theirs") as theirs:
        # Without a right to read it, even the same user is another one.
        theirs.path.chmod(0o000)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        subprocess.run([sys.executable, "-c", code, str(shared)], check=True, env=environment)
        assert theirs.path.is_dir()
        theirs.path.chmod(0o700)
