"""docs/runbook.md: every command of it, run by a shell as written, against a real S3 server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from support.seaweed import REGION, Seaweed

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
BUCKET = "fluo-backups"


def sections() -> dict[str, str]:
    """The commands of each numbered section."""
    found: dict[str, str] = {}
    for part in re.split(r"^## ", RUNBOOK.read_text(), flags=re.MULTILINE)[1:]:
        number = part.partition(".")[0]
        found[number] = "\n".join(re.findall(r"```sh\n(.*?)```", part, flags=re.DOTALL))
    return found


class Night:
    """A shell in the application's directory, on a machine of which only the repository is known."""

    def __init__(self, root: Path, server: Seaweed) -> None:
        self.root = root
        self.environment = {
            **os.environ,
            **server.environment(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DUCKBACK_S3_ENDPOINT_URL": server.endpoint,
            "DUCKBACK_S3_ADDRESSING_STYLE": "path",
            "DUCKBACK_S3_REGION": REGION,
            "DUCKBACK_STATE_DIR": str(root / "state"),
            "DUCKBACK_THREADS": "1",
        }

    def run(self, commands: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            capture_output=True, text=True, check=False, cwd=self.root, env=self.environment,
        )  # fmt: skip
        assert done.returncode == 0, (commands, done)
        return done.stdout

    def count(self, name: str) -> int:
        with duckdb.connect(self.root / name, read_only=True) as con:
            return int((con.execute("SELECT count(*) FROM signals").fetchone() or (0,))[0])


@pytest.fixture
def night(seaweed: Seaweed, tmp_path: Path) -> Iterator[Night]:
    client = seaweed.client()
    client.create_bucket(Bucket=BUCKET)
    night = Night(tmp_path, seaweed)
    with duckdb.connect(tmp_path / "hot.duckdb") as con:
        con.execute(
            "CREATE TABLE signals AS SELECT i AS id, TIMESTAMP '2026-11-25' + to_seconds(i) AS seen_at FROM range(500) r(i)"
        )
        con.execute("CREATE TABLE rules AS SELECT i AS id FROM range(20) r(i)")
    night.run(
        "export DUCKBACK_REPO=s3://fluo-backups/prod; duckback backup hot.duckdb; duckback backup hot.duckdb --full"
    )
    yield night
    for row in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=row["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


def test_the_database_comes_back_by_the_book(night: Night) -> None:
    (night.root / "state").rename(night.root / "lost")
    (night.root / "hot.duckdb").write_bytes(b"what a crash has left")
    book = sections()
    out = night.run("\n".join(book[number] for number in "1234"))
    assert "500" in out
    for name in ("restored.duckdb", "before.duckdb", "part.duckdb", "hot.duckdb"):
        assert night.count(name) == 500
    assert "committed" in out
    assert "good" in out


def test_what_is_damaged_comes_back_from_where_it_is_good_by_the_book(night: Night, seaweed: Seaweed) -> None:
    client = seaweed.client()
    rows = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    newest = max(row["Key"] for row in rows if ".signals." in row["Key"])
    client.put_object(Bucket=BUCKET, Key=newest, Body=b"PAR1 and nothing else PAR1")
    client.close()
    book = sections()
    out = night.run("export DUCKBACK_REPO=s3://fluo-backups/prod\n" + book["5"])
    assert "damaged: main.signals" in out
    assert "exit code 20" in out
    assert night.count("rest.duckdb") == 500
    with duckdb.connect(night.root / "most.duckdb") as con:
        assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("rules",)]


def test_a_ledger_that_contradicts_is_overruled_by_the_book(night: Night, seaweed: Seaweed) -> None:
    client = seaweed.client()
    newest = max(r["Key"] for r in client.list_objects_v2(Bucket=BUCKET)["Contents"] if "/manifests/" in r["Key"])
    client.delete_object(Bucket=BUCKET, Key=newest)
    client.close()
    book = sections()
    out = night.run("export DUCKBACK_REPO=s3://fluo-backups/prod\n" + book["6"])
    assert "exit code 20" in out
    assert night.count("trusted.duckdb") == 500


def test_no_command_of_the_book_is_left_out() -> None:
    book = sections()
    assert set(book) == {"1", "2", "3", "4", "5", "6", "7"}
    text = RUNBOOK.read_text()
    assert text.count("```") == 2 * text.count("```sh\n")
    assert book["7"] == ""
