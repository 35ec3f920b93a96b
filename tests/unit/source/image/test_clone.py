"""Sharing blocks with the original: done whole, or not at all. Run with `--basetemp` on XFS or btrfs it is done."""

import os
from pathlib import Path

from duckback.source.image.copying import clone


def test_a_clone_is_the_original_of_that_moment_or_nothing_was_done(tmp_path: Path) -> None:
    original, target = tmp_path / "a", tmp_path / "b"
    original.write_bytes(os.urandom(1 << 20))
    before = original.read_bytes()
    target.write_bytes(b"older")
    with original.open("r+b") as source, target.open("r+b") as copy:
        is_done = clone(source.fileno(), copy.fileno())
        source.write(b"changed")
    assert target.read_bytes() == (before if is_done else b"older")


def test_what_is_on_another_file_system_is_not_cloned(tmp_path: Path) -> None:
    (target := tmp_path / "b").touch()
    with Path("/proc/self/status").open("rb") as source, target.open("r+b") as copy:
        assert not clone(source.fileno(), copy.fileno())
    assert target.read_bytes() == b""
