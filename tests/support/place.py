"""A place to work in: a small database, a repository, a state directory, and `duckback` run on them."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from duckback.cli.app import run
from duckback.ledger.embedded import EmbeddedLedger
from duckback.source.demo import differing_rows

EXECUTABLE = Path(sys.executable).parent / "duckback"

_SMALL = """
CREATE SEQUENCE ids START 5;
CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE visits (person INTEGER REFERENCES people (id), happened TIMESTAMP, note VARCHAR);
CREATE VIEW visitors AS SELECT name, count(*) AS visits FROM people JOIN visits ON id = person GROUP BY name;
CREATE INDEX visits_at ON visits (happened);
INSERT INTO people SELECT i, 'person ' || i FROM range(50) r(i);
INSERT INTO visits SELECT i % 50, TIMESTAMP '2026-11-20' + to_minutes(i::INT), 'visit ' || i FROM range(400) r(i);
"""
ROWS, TABLES = 450, 2


def small_database(path: Path, sql: str = _SMALL) -> Path:
    """A database file of two tables with keys, a view, a sequence and an index; or of what the SQL makes."""
    with duckdb.connect(path) as con:
        con.execute(sql)
    return path


@dataclass(frozen=True)
class Ran:
    """What a run of `duckback` said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)

    def failed(self, code: int, *words: str) -> None:
        """It failed with that code, said these words, and showed no traceback."""
        assert self.code == code, self
        assert "Traceback" not in self.err + self.out, self.err
        for word in words:
            assert word in self.err, self.err

    def worked(self) -> "Ran":
        """It did; returns itself."""
        assert self.code == 0, self
        return self


class Place:
    """Paths below one directory, and `duckback` with their options.

    Attributes:
        database: of `small_database`, made when first asked for.
        repo: the repository directory.
        target: a path to restore to, where nothing is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repo = root / "repo"
        self.state = root / "state"
        self.target = root / "target" / "small.duckdb"
        self.target.parent.mkdir(parents=True, exist_ok=True)

    @property
    def database(self) -> Path:
        path = self.root / "small.duckdb"
        return path if path.exists() else small_database(path)

    def change(self) -> None:
        """A visit more, one less and another one changed."""
        with duckdb.connect(self.database) as con:
            con.execute("INSERT INTO visits SELECT 7, now()::TIMESTAMP, 'visit ' || count(*) FROM visits")
            con.execute("DELETE FROM visits WHERE rowid = (SELECT min(rowid) FROM visits)")
            con.execute("UPDATE visits SET note = 'changed' WHERE rowid = (SELECT max(rowid) - 3 FROM visits)")

    def run(self, verb: str, *arguments: object, repo: object = None) -> Ran:
        """Run a verb in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(self._line(verb, arguments, repo))
        return Ran(code, out.getvalue(), err.getvalue())

    def spawn(
        self, verb: str, *arguments: object, repo: object = None, environment: Mapping[str, str] | None = None
    ) -> Ran:
        """Run the installed executable."""
        done = subprocess.run(
            self.command(verb, *arguments, repo=repo),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.root,
            env={**os.environ, **(environment or {})},
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def command(self, verb: str, *arguments: object, repo: object = None) -> list[str]:
        """The command line of the installed executable."""
        return [str(EXECUTABLE), *self._line(verb, arguments, repo)]

    def _line(self, verb: str, arguments: tuple[object, ...], repo: object) -> list[str]:
        options = ["--repo", repo or self.repo, "--state-dir", self.state, "--threads", "1"]
        return [str(each) for each in (*verb.split(), *arguments, *options)]

    def backup_ids(self) -> list[str]:
        """Ids that `list` shows, oldest first."""
        return [one["id"] for one in self.run("list", "--json").worked().json["backups"]]

    def events(self) -> list[tuple[str, UUID]]:
        """What the ledger holds of backups: kind and backup, in order."""
        with EmbeddedLedger(self.state / "ledger.sqlite") as ledger:
            return [(entry.kind.value, UUID(entry.details["backup_id"])) for entry in ledger.entries()]

    def messages(self) -> list[str]:
        """The error messages of failed runs, as the ledger holds them."""
        with EmbeddedLedger(self.state / "ledger.sqlite") as ledger:
            return [entry.details["error_message"] for entry in ledger.entries() if entry.kind.value == "failed"]

    def objects(self) -> list[Path]:
        """The Parquet files in the repository."""
        return sorted(self.repo.rglob("*.parquet"))

    def manifests(self) -> list[Path]:
        return sorted(self.repo.rglob("manifests/*.json"))

    def staged(self) -> list[Path]:
        """What runs have left in the staging directory."""
        staging = self.state / "staging"
        return sorted(staging.iterdir()) if staging.exists() else []

    def beside_target(self) -> list[str]:
        """Names in the target's directory."""
        return sorted(path.name for path in self.target.parent.iterdir())

    def restored_is_equal(self) -> bool:
        """Whether the target holds the rows of the database."""
        return not any(differing_rows(self.database, self.target).values())


def stocked(root: Path) -> Path:
    """Make a place in which the small database was backed up once."""
    place = Place(root)
    place.run("backup", place.database).worked()
    return root


def copies(stock: Path, root: Path) -> Iterator[Place]:
    """A place of one's own that holds what the stock holds."""
    shutil.copytree(stock, root / "place")
    yield Place(root / "place")
