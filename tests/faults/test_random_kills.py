"""kill -9 at random moments of every verb: the repository stays valid, what is visible is right, the next run mends."""

import os
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from support.place import Place, Ran
from support.seaweed import REGION, Seaweed

SEED = 20261125
KILLS = int(os.environ.get("DUCKBACK_SOAK_KILLS", "24"))
KILLS_ON_S3 = int(os.environ.get("DUCKBACK_SOAK_KILLS_ON_S3", "6"))
VERBS = ("full", "incremental", "restore", "verify", "force", "prune", "test-restore")
_KEEP_THREE = ("--keep-within", "0s", "--keep-last", "3", "--grace", "0s")
_MENDED_EVERY = 3 if "DUCKBACK_SOAK_KILLS" in os.environ else 12


@dataclass
class Killing:
    """A place whose runs are killed, in a directory or on S3; `lengths` are the seconds that each verb takes."""

    place: Place
    repo: str | None
    options: list[str]
    lengths: dict[str, float] = field(default_factory=dict)

    def run(self, verb: str, *arguments: object) -> Ran:
        return self.place.run(verb, *arguments, *self.options, repo=self.repo)

    def ids(self) -> list[str]:
        return [one["id"] for one in self.run("list", "--json").worked().json["backups"]]

    def line(self, verb: str) -> list[str]:
        place = self.place
        words: dict[str, tuple[object, ...]] = {
            "full": ("backup", place.database, "--full"),
            "incremental": ("backup", place.database, "--incremental"),
            "restore": ("restore", place.target),
            "force": ("restore", place.target, "--force"),
            "verify": ("verify", "--level", "data"),
            "prune": ("prune", *_KEEP_THREE),
            "test-restore": ("verify", "latest", "--level", "restore"),
        }
        first, *rest = words[verb]
        return place.command(str(first), *rest, *self.options, repo=self.repo)

    def killed(self, verb: str, chance: random.Random) -> bool:
        """Kill it somewhere between its start and its end, but for the first time, which tells how long it takes.

        Returns:
            Whether it was still at work.
        """
        self._prepare(verb)
        child, began = self._start(verb), time.monotonic()
        if verb not in self.lengths:
            assert child.wait() == 0
            self.lengths[verb] = time.monotonic() - began
            return False
        try:
            child.wait(chance.uniform(0.1, 1.0) * self.lengths[verb])
        except subprocess.TimeoutExpired:
            child.kill()
        return child.wait() != 0

    def _start(self, verb: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self.line(verb), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.place.root
        )

    def _prepare(self, verb: str) -> None:
        if verb in {"full", "incremental"}:
            self.place.change()
        elif verb == "restore":
            self.place.target.unlink(missing_ok=True)
        elif verb == "force" and not self.place.target.exists():
            self.place.target.write_bytes(b"old")

    def assert_whole(self, before: list[str], verb: str) -> list[str]:
        """Nothing that was there is gone but what was pruned, and nothing is visible that is not complete."""
        after = self.ids()
        assert set(before) <= set(after) or (verb == "prune" and set(before[-3:]) <= set(after))
        self.run("verify").worked()
        target = self.place.target
        if target.exists() and target.read_bytes() != b"old":
            # Whole: every backup has as many rows. That they are the right ones is for `assert_mends`.
            with duckdb.connect(target, read_only=True) as con:
                assert con.execute("SELECT count(*) FROM people").fetchone() == (50,)
                assert con.execute("SELECT count(*) FROM visits").fetchone() == (400,)
        return after

    def assert_mends(self) -> None:
        """The next runs clean up and succeed."""
        self.place.change()
        self.run("backup", self.place.database).worked()
        self.run("prune", *_KEEP_THREE).worked()
        self.run("verify", "latest", "--level", "data").worked()
        self.run("restore", self.place.target, "--force").worked()
        assert self.place.restored_is_equal()
        assert [name for name in self.place.beside_target() if "restoring" in name or "moving" in name] == []
        assert self.place.staged() == []
        assert not any((self.place.state / "images").glob("*"))
        events = Counter((kind, str(backup_id)) for kind, backup_id in self.place.events())
        there = self.ids()
        assert all(events[kind, one] == 1 for one in there for kind in ("started", "completed")), events
        gone = {one for kind, one in events if kind == "completed"} - set(there)
        assert all(events["pruned", one] == 1 for one in gone), events
        assert {one for kind, one in events if kind == "pruned"} >= gone
        for path in self.place.target.parent.iterdir():
            path.unlink()


def kill_many(one: Killing, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    done = Counter[str]()
    there = one.ids()
    for number in range(kills + len(VERBS)):
        verb = VERBS[number % len(VERBS)]
        done[verb] += one.killed(verb, chance)
        there = one.assert_whole(there, verb)
        if (number + 1) % _MENDED_EVERY == 0:
            one.assert_mends()
            there = one.ids()
    one.assert_mends()
    print(f"seed {seed}: {kills} kills, of which {done.total()} met a run at work: {dict(done)}")
    assert done.total() > kills // 2


@pytest.mark.timeout(7200)
def test_kills_at_random_moments_with_a_repository_in_a_directory(full: Place) -> None:
    kill_many(Killing(full, None, []), KILLS, SEED)


@pytest.fixture
def on_s3(seaweed: Seaweed, tmp_path: Path) -> Killing:
    options = ["--s3-endpoint-url", seaweed.endpoint, "--s3-addressing-style", "path", "--s3-region", REGION]
    one = Killing(Place(tmp_path), f"s3://{seaweed.bucket()}/x", [*options, "--s3-profile", "admin"])
    one.run("backup", one.place.database).worked()
    return one


@pytest.mark.timeout(7200)
def test_kills_at_random_moments_with_a_repository_on_s3(on_s3: Killing) -> None:
    kill_many(on_s3, KILLS_ON_S3, SEED + 1)
