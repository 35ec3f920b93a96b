"""What an incremental costs, in time and bytes, as a ratio to a full backup of the same database in the same run."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.measure import Measured, Row, compared, compared_cpu, interleaved, run_job

ROWS = 40_000_000
"""Signals: a full of them takes some 40 s, of which the start of Python processes is no large part."""

_SETTLE_SECONDS = 3
_CHAIN = 4
_RESTORE_TARGET = 1.3

Say = Callable[[str], None]

_UPDATE = "UPDATE signals SET score = coalesce(score, 0) + 1 WHERE hash(rowid) % 1000 < {per_mille}"


@dataclass(frozen=True)
class Case:
    """A change, and what its incremental may cost.

    Attributes:
        what: in words.
        statement: that makes it; None: nothing is written at all.
        time: seconds by those of a full.
        size: bytes by those of a full.
    """

    what: str
    statement: str | None
    time: float
    size: float


CASES = (
    Case("no commit", None, 0.02, 0.0),
    Case("commits, no change of content", "CREATE TABLE passing (i INTEGER); DROP TABLE passing", 0.30, 0.0),
    Case("1 % appended", "INSERT INTO signals FROM signals WHERE rowid % 100 = 0", 0.35, 0.02),
    Case("oldest 10 % deleted", "DELETE FROM signals WHERE rowid < (SELECT count(*) // 10 FROM signals)", 0.60, 0.01),
    Case("1 % updated at random", _UPDATE.format(per_mille=10), 1.10, 0.03),
    Case(
        "5 % deleted, all rowids shifted",
        "CREATE OR REPLACE TABLE signals AS FROM signals WHERE rowid >= (SELECT count(*) // 20 FROM signals)",
        1.10,
        0.02,
    ),
)

SHARES = (0.0, 0.001, 0.01, 0.1, 0.5, 1.0)
"""Updated rows by rows, of the plot."""


@dataclass(frozen=True)
class Cost:
    """Runs of incrementals and of fulls of the same database, in turn."""

    incrementals: Sequence[Measured]
    fulls: Sequence[Measured]

    @property
    def size(self) -> float:
        """Bytes that an incremental added by those of a full."""
        return self.incrementals[0].steps["bytes"] / self.fulls[0].steps["bytes"]


class Changed:
    """A database with one full backup, of which changed copies are backed up.

    Args:
        database: the file.
        folder: for all that is written.
    """

    def __init__(self, database: Path, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._first = folder / "first"
        # What was written to a moment ago may be written to again in the same tick of the file system's clock.
        time.sleep(_SETTLE_SECONDS)
        run_job("backup", database, self._first / "repo")

    def cost(self, statement: str | None, repeat: int) -> Cost:
        """Of backing up the database after a statement; `repeat` pairs."""
        changed = self._database
        if statement is not None:
            changed = self._folder / "changed" / self._database.name
            changed.parent.mkdir()
            shutil.copy(self._database, changed)
            with duckdb.connect(changed) as con:
                con.execute(statement)
        try:
            return Cost(
                *interleaved(repeat, lambda: self._run("incremental", changed), lambda: self._run("backup", changed))
            )
        finally:
            shutil.rmtree(self._folder / "changed", ignore_errors=True)

    def restored(self, repeat: int) -> Row:
        """Restores through some incrementals, and from the full that they began with; `repeat` pairs."""
        chain, changed = self._folder / "chain", self._folder / "changed" / self._database.name
        shutil.copytree(self._first, chain)
        changed.parent.mkdir()
        shutil.copy(self._database, changed)
        for number in range(_CHAIN):
            with duckdb.connect(changed) as con:
                con.execute(_UPDATE.format(per_mille=10).replace("rowid", f"(rowid + {number})"))
            run_job("incremental", changed, chain / "repo")
        targets = [self._folder / name / "restored.duckdb" for name in ("through", "full")]
        through, whole = interleaved(
            repeat,
            lambda: self._restore(chain / "repo", targets[0]),
            lambda: self._restore(self._first / "repo", targets[1]),
        )
        what = f"restore through {_CHAIN} incrementals, 1 % updated in each"
        return compared(what, through, whole, "restore of a full", target=_RESTORE_TARGET)

    def _restore(self, repo: Path, target: Path) -> Measured:
        target.parent.mkdir()
        try:
            return run_job("restore", repo, target)
        finally:
            shutil.rmtree(target.parent)

    def peak(self, statement: str) -> tuple[Measured, Measured]:
        """The memory of an incremental after a statement, and of a full."""
        with duckdb.connect(self._database) as con:
            con.execute(statement)
        return tuple(self._run(name, self._database, sampled=True) for name in ("incremental", "backup"))  # type: ignore[return-value]  # two names, two answers

    def _run(self, name: str, database: Path, *, sampled: bool = False) -> Measured:
        repo = self._folder / "again" / "repo"
        shutil.copytree(self._first, repo.parent, copy_function=_linked)
        (repo.parent / "state").mkdir(exist_ok=True)
        try:
            return run_job(name, database, repo, sampled=sampled)
        finally:
            shutil.rmtree(repo.parent)


def _linked(source: str, target: str) -> None:
    # Objects never change, and links to them are as good as copies; the ledger does.
    if source.endswith(".parquet"):
        Path(target).hardlink_to(source)
    else:
        shutil.copy(source, target)


def costs(database: Path, rows: int, folder: Path, repeat: int, say: Say) -> list[Row]:
    """Every case, and the memory of the one that compares most.

    Args:
        database: of the hot tier; it is changed in the end.
        rows: how many it has.
        folder: for all that is written.
        repeat: pairs of each.
        say: hears each case.
    """
    found: list[Row] = []
    base = Changed(database, folder)
    for case in CASES:
        cost = base.cost(case.statement, repeat)
        found += [
            compared(f"incremental: {case.what}", cost.incrementals, cost.fulls, "full backup", target=case.time),
            compared_cpu(cost.incrementals, cost.fulls),
            _bytes(cost, case),
        ]
        say(f"{case.what}: {found[-3].ratio}, bytes {cost.size:.4f}")
    found.append(base.restored(repeat))
    ours, full = base.peak(_UPDATE.format(per_mille=10))
    is_less = ours.peak_bytes < full.peak_bytes
    mine, theirs = (f"{one.peak_bytes / 1e6:.0f} MB" for one in (ours, full))
    found.append(Row(f"peak, 1 % of {rows:,} rows updated", mine, theirs, target="< full", is_met=is_less))
    return found


def _bytes(cost: Cost, case: Case) -> Row:
    sizes = [f"{runs[0].steps['bytes'] / 1e6:.2f} MB" for runs in (cost.incrementals, cost.fulls)]
    target, is_met = f"<= {case.size:.0%}", cost.size <= case.size
    return Row("  bytes", sizes[0], sizes[1], f"{cost.size:.4f}", target, is_met)


def by_share(database: Path, folder: Path, repeat: int, say: Say) -> list[tuple[float, float, float]]:
    """Shares of rows that were updated at random, and what it costs: time and bytes, by those of a full."""
    base = Changed(database, folder)
    points = []
    for share in SHARES:
        cost = base.cost(_UPDATE.format(per_mille=round(1000 * share)), repeat)
        seconds = [sum(run.seconds for run in runs) for runs in (cost.incrementals, cost.fulls)]
        points.append((share, seconds[0] / seconds[1], cost.size))
        say(f"{share:.1%} updated: time {points[-1][1]:.2f}, bytes {points[-1][2]:.4f}")
    return points
