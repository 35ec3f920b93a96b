"""A private directory is private, goes with its owner, and what a killed owner left can be told and swept."""

import stat
from pathlib import Path

import pytest
from support.snapshots import python_process

from duckback.errors import SourceError
from duckback.source.scratch import Scratch, sweep

HOLD_SCRATCH = """
    import sys
    from pathlib import Path
    from duckback.source.scratch import Scratch
    scratch = Scratch(Path(sys.argv[1]), "run-theirs")
    (scratch.path / "file").write_text("x")
    print("made", flush=True)
    sys.stdin.read()
"""


def test_it_is_for_its_owner_alone_and_goes_at_the_end(tmp_path: Path) -> None:
    with Scratch(tmp_path / "new" / "parent", "run-1") as scratch:
        assert scratch.path == tmp_path / "new" / "parent" / "run-1"
        assert stat.S_IMODE(scratch.path.stat().st_mode) == 0o700
        (scratch.path / "folder").mkdir()
        (scratch.path / "folder" / "file").write_text("x")
    assert not scratch.path.exists()
    scratch.remove()


def test_it_goes_when_an_error_passes(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Scratch(tmp_path, "run-1"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_or_a_place_that_is_none_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with Scratch(tmp_path, "run-1"), pytest.raises(SourceError, match="run-1"):
        Scratch(tmp_path, "run-1")
    with pytest.raises(SourceError) as failure:
        Scratch(tmp_path / "file", "run-1")
    assert "--staging-dir" in failure.value.hint


def test_a_sweep_takes_only_what_a_dead_process_left(tmp_path: Path) -> None:
    with Scratch(tmp_path, "run-mine") as mine, python_process(HOLD_SCRATCH, tmp_path) as owner:
        (tmp_path / "run-file").write_text("not a directory")
        (tmp_path / "other").mkdir()
        assert sweep(tmp_path, "run-") == []
        owner.kill()
        owner.wait()
        assert (tmp_path / "run-theirs" / "file").exists()
        assert sweep(tmp_path, "other-") == []
        assert sweep(tmp_path, "run-") == [tmp_path / "run-theirs"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "run-file", "run-mine"]
        assert mine.path.is_dir()


def test_a_sweep_of_a_place_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    assert sweep(tmp_path / "absent", "run-") == []


def test_a_sweep_leaves_what_only_has_a_name_like_ours(tmp_path: Path) -> None:
    (tmp_path / "run-of-the-mill").mkdir(mode=0o755)
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "run-link").symlink_to(tmp_path / "private")
    assert sweep(tmp_path, "run-") == []
    assert len(list(tmp_path.iterdir())) == 3


def test_a_sweep_that_fails_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "run-1").mkdir(mode=0o700)
    monkeypatch.setattr("shutil.rmtree", fail)
    with pytest.raises(SourceError, match="cannot clean up in"):
        sweep(tmp_path, "run-")
