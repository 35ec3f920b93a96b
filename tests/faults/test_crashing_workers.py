"""Processes of DuckDB that crash: for want of memory, which says nothing of a backup, or of what they read."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.place import Place

from duckback import Duckback
from duckback.model.proof import Level

Crashing = Callable[[str], Path]


@pytest.fixture
def crashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crashing:
    """Has confined processes die of SIGSEGV under a condition on `threads`; answers where each notes its own."""

    def crash(condition: str) -> Path:
        folder = tmp_path / "customized"
        folder.mkdir()
        heard = folder / "threads"
        (folder / "sitecustomize.py").write_text(f"""
import os, signal
import duckback.source.confine
def confine(memory_limit, threads):
    with open({str(heard)!r}, "a") as file:
        print(threads, file=file)
    if {condition}:
        os.kill(os.getpid(), signal.SIGSEGV)
duckback.source.confine.confine = confine
""")
        above = filter(None, [str(folder), os.environ.get("PYTHONPATH")])
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(above))
        return heard

    return crash


def opened(place: Place, threads: int = 2) -> Duckback:
    return Duckback(place.repo, state_dir=place.state, threads=threads)


@pytest.mark.parametrize("level", ["data", "restore"])
def test_a_crash_that_does_not_come_again_in_one_thread_is_no_verdict(
    full: Place, crashing: Crashing, level: Level
) -> None:
    heard = crashing("threads > 1")
    (result,) = opened(full).verify(level=level).results
    assert result.problems == ()
    assert heard.read_text().split() == (["2", "1"] if level == "data" else ["2", "1"] * 2)
    assert full.staged() == []


def test_a_restore_and_a_query_survive_it_too(full: Place, crashing: Crashing) -> None:
    heard = crashing("threads > 1")
    opened(full).restore(full.target)
    assert full.restored_is_equal()
    with opened(full).query("SELECT count(*) FROM people") as answer:
        assert list(answer.rows()) == [["50"]]
    assert heard.read_text().split() == ["2", "1"] * 3


def test_a_crash_that_comes_again_is_blamed_on_what_was_read(full: Place, crashing: Crashing) -> None:
    heard = crashing("True")
    (result,) = opened(full).test_restore().results
    assert ["SIGSEGV" in problem.what for problem in result.problems] == [True]
    assert heard.read_text().split() == ["2", "1"]
    (result,) = opened(full, threads=1).verify(level="data").results
    assert {problem.table for problem in result.problems} == {"main.people", "main.visits"}
    assert heard.read_text().split()[2:] == ["1"] * 3


def test_the_stacks_of_its_threads_are_no_part_of_what_a_process_may_take() -> None:
    code = """
import threading
from duckback.source.confine import confine
confine("60MB", 256)
end = threading.Event()
threads = [threading.Thread(target=end.wait) for _ in range(256)]
for thread in threads:
    thread.start()
end.set()
try:
    bytearray(4 << 30)
except MemoryError:
    print("confined")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout == "confined\n", ran.stderr
