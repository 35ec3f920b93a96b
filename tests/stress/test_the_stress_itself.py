"""The driver of the stress tests finds what is wrong, so that nothing found means something."""

import os
import resource
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from support.engines import ENGINES, INSTALLED
from support.stress import driver
from support.stress.captures import Copied, plain_copy
from support.stress.driver import stress
from support.stress.processes import Died, Writer
from support.stress.verdicts import Judge

SMALL = ("--initial-megabytes", 1)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(INSTALLED) as one:
        yield one


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A database whose writer has ended, and its newest transaction; not to be changed."""
    with Writer(INSTALLED, tmp_path_factory.mktemp("ended"), *SMALL, "--seconds", 0.1) as writer:
        writer.done()
    return writer.database, writer.sequence


@pytest.fixture
def rested(ended: tuple[Path, int], tmp_path: Path) -> Path:
    """A database of one's own, at rest."""
    return Path(shutil.copy(ended[0], tmp_path))


@pytest.mark.parametrize("engine", ENGINES)
def test_plain_copy_of_a_database_at_rest_is_good(tmp_path: Path, engine: str) -> None:
    with stress(tmp_path, engine, *SMALL) as busy:
        outcome = busy.at_rest(plain_copy())
    assert outcome.verdict == "good", outcome
    assert list(tmp_path.iterdir()) == []


def test_copy_that_lacks_committed_transactions_is_stale(ended: tuple[Path, int], judge: Judge) -> None:
    database, sequence = ended
    assert judge.verdict(database, sequence) == ("good", "")
    assert judge.verdict(database, sequence + 1)[0] == "stale"


@pytest.mark.parametrize(
    ("damage", "truth"),
    [
        ("UPDATE accounts SET balance = balance + 1 WHERE id = 7", "no money is made or lost"),
        ("DELETE FROM ledger WHERE sequence = 1", "the ledger has no holes"),
        ("INSERT INTO ledger FROM ledger WHERE sequence = 1", "the ledger has no holes"),
        ("UPDATE ledger SET note = note || 'x'", "every entry is as it was written"),
        ("INSERT INTO rights VALUES (0, 0)", "both halves of every pair are there"),
        ("UPDATE lefts SET value = 0; UPDATE rights SET value = 0", "every pair has its entry"),
        ("DELETE FROM loads WHERE rowid = 100_000", "every batch is whole"),
        ("UPDATE batches SET bumps = bumps + 1", "every batch is whole"),
        ("DELETE FROM batches", "every batch is whole"),
        ("UPDATE loads SET word = 'other' WHERE i = 99", "every word of a batch is as it was loaded"),
        ("UPDATE current SET generation = generation - 1", "a replaced table is all of one generation"),
        ("DELETE FROM generations WHERE i = 50_000", "a replaced table is all of one generation"),
        ("UPDATE generations SET digest = 'x' WHERE i = 50_000", "every row of a replaced table is its own"),
        ("DELETE FROM ballast WHERE i = 3_000", "what nobody touches stays"),
        ("UPDATE ballast SET a = b WHERE i = 5", "and stays as it was"),
    ],
)
def test_what_is_not_true_of_an_image_is_named(rested: Path, judge: Judge, damage: str, truth: str) -> None:
    with duckdb.connect(rested) as con:
        con.execute(damage)
    assert judge.verdict(rested, 0) == ("wrong", f"not so: {truth}")


def test_image_with_damaged_blocks_is_unreadable(rested: Path, judge: Judge) -> None:
    with rested.open("r+b") as file:
        file.seek(12_288 + 100)
        file.write(bytes(1_000_000))
    assert judge.verdict(rested, 0)[0] in {"unreadable", "crashed"}


def test_image_that_ends_the_verifier_is_bad_and_the_next_one_is_judged(rested: Path, judge: Judge) -> None:
    os.kill(judge.pid, signal.SIGKILL)
    assert judge.verdict(rested, 0)[0] == "crashed"
    assert judge.verdict(rested, 0)[0] == "good"


def test_bad_image_is_kept_with_the_reason_where_it_is_asked_for(tmp_path: Path) -> None:
    def nothing(_: Path, directory: Path) -> Copied:
        return Copied(Path(shutil.copy(__file__, directory / "image.duckdb")))

    with stress(tmp_path, INSTALLED, *SMALL) as busy:
        (outcome,) = busy.outcomes(nothing, 1, bad=tmp_path / "bad")
    assert outcome.verdict == "unreadable"
    (kept,) = (tmp_path / "bad").iterdir()
    assert sorted(path.name for path in kept.iterdir()) == ["image.duckdb", "why.txt"]
    assert (kept / "why.txt").read_text().startswith("unreadable: ")


def test_writer_that_dies_fails_the_run(tmp_path: Path) -> None:
    with stress(tmp_path, INSTALLED, *SMALL) as busy:
        outcomes = busy.outcomes(plain_copy(), 3)
        next(outcomes)
        os.kill(busy.writer.pid, signal.SIGKILL)
        with pytest.raises(Died, match="the writer ended with code -9"):
            list(outcomes)


def test_writer_that_commits_no_more_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PROGRESS_SECONDS", 0.2)
    with stress(tmp_path, INSTALLED, *SMALL) as busy:
        os.kill(busy.writer.pid, signal.SIGSTOP)
        with pytest.raises(Died, match="committed nothing"):
            list(busy.outcomes(plain_copy(), 3))


def test_writer_that_cannot_begin_says_why(tmp_path: Path) -> None:
    (tmp_path / "busy.duckdb").write_bytes(bytes(20_000))
    with pytest.raises(Died, match=r"(?s)ended with code 1.*not a valid DuckDB database file"):
        Writer(INSTALLED, tmp_path)


def test_writer_whose_work_fails_says_why(tmp_path: Path) -> None:
    with stress(tmp_path, INSTALLED, *SMALL) as busy:
        resource.prlimit(busy.writer.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
        with pytest.raises(Died, match=r"(?s)the writer ended with code 1.*Could not write"):
            list(busy.outcomes(plain_copy(), 100))


def test_writer_ends_with_its_parent(tmp_path: Path) -> None:
    with Writer(INSTALLED, tmp_path, *SMALL) as writer:
        writer.close_input()
        assert writer.done()["transactions"] >= 1
