"""Objects and manifests by somebody who may write to the bucket: no rows, no memory, no time, no secret are theirs."""

import os
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.forgery import forge, forge_object
from support.place import Place, small_database
from support.seaweed import IDENTITIES, REGION, Seaweed

from duckback import Duckback
from duckback.errors import IntegrityError, SourceError, TookTooLong
from duckback.model.manifest import Manifest
from duckback.model.progress import unheard
from duckback.source.child import run_job
from duckback.source.confine import size_of
from duckback.source.jobs import ReadRows
from duckback.source.resources import Resources
from duckback.store.digest import digest_file
from duckback.store.local import LocalStore

TRUST = "--trust-repository"


@pytest.fixture
def elsewhere(full: Place, tmp_path: Path) -> Place:
    """The repository, on a machine whose ledger knows nothing of it."""
    full.state = tmp_path / "another"
    return full


def assert_refused(place: Place, code: int, *words: str) -> None:
    place.run("restore", place.target).failed(code, *words)
    assert place.beside_target() == []
    assert place.staged() == []


def test_an_object_with_more_rows_than_it_says_is_refused_before_it_is_unpacked(elsewhere: Place) -> None:
    forge_object(elsewhere, "people", "SELECT 1::INTEGER AS id, 'x' AS name FROM range(3_000_000)", rows=50)
    assert_refused(elsewhere, 20, "has 3000000 rows instead of 50")
    ran = elsewhere.run("verify", "--level", "data")
    assert ran.code == 20
    assert "has 3000000 rows instead of 50" in ran.out


def test_a_value_that_unpacks_to_more_than_the_memory_there_is_ends_in_words(elsewhere: Place) -> None:
    path = forge_object(elsewhere, "people", "SELECT 1::INTEGER AS id, repeat('x', 300_000_000) AS name")
    assert path.stat().st_size < 1 << 20
    elsewhere.run("restore", elsewhere.target, "--memory-limit", "60MB").failed(30, "--memory-limit")
    assert elsewhere.beside_target() == []
    elsewhere.run("verify", "--level", "data", "--memory-limit", "60MB").failed(30, "--memory-limit")
    # Whoever lacks memory has proven nothing, one way or the other.
    assert elsewhere.run("list", "--json").json["backups"][0]["status"] == "committed"


def test_a_parquet_file_that_is_none_is_a_problem_of_its_table(elsewhere: Place) -> None:
    path = forge_object(elsewhere, "people", "SELECT 1::INTEGER AS id, 'x' AS name")
    data = path.read_bytes()
    claimed = data[:4] + os.urandom(len(data) - 12) + data[-8:]
    path.write_bytes(claimed)
    digest = digest_file(path, 1 << 40)

    def change(manifest: Manifest) -> Manifest:
        tables = tuple(
            table.model_copy(update={"objects": (table.objects[0].model_copy(update={"sha256": digest.sha256}),)})
            if table.name == "people"
            else table
            for table in manifest.tables
        )
        return manifest.model_copy(update={"tables": tables})

    forge(elsewhere, change)
    ran = elsewhere.run("verify", "--level", "data", "--json")
    ran.failed(20)
    (problem,) = ran.json["backups"][0]["problems"]
    assert problem["table"] == "main.people"
    assert "cannot be read" in problem["what"]
    ran = elsewhere.run("restore", elsewhere.target)
    ran.failed(ran.code)
    assert ran.code in {20, 30}
    assert elsewhere.beside_target() == []


def test_a_job_whose_time_is_over_is_ended_whatever_it_is_doing(elsewhere: Place) -> None:
    forge_object(elsewhere, "people", "SELECT range::INTEGER AS id, 'x' AS name FROM range(10_000_000)")
    began = time.monotonic()
    elsewhere.run("restore", elsewhere.target, "--job-timeout", "1s").failed(30, "--job-timeout")
    assert time.monotonic() - began < 20
    assert elsewhere.beside_target() == []
    assert elsewhere.staged() == []


def test_a_verification_whose_time_is_over_ends_the_child_that_it_waits_for(elsewhere: Place) -> None:
    forge_object(elsewhere, "people", "SELECT 1::INTEGER AS id, 'x' AS name FROM range(150_000_000)")
    ran = elsewhere.run("verify", "--level", "data", "--max-duration", "1s", "--json")
    ran.failed(3)
    assert ran.json["not_reached"] == elsewhere.backup_ids()


def test_a_job_that_reads_a_repository_gets_no_more_memory_than_its_limit_allows(full: Place, tmp_path: Path) -> None:
    committed = Duckback(full.repo, state_dir=full.state).find("latest").committed
    files = {ref.key: full.repo / ref.key for ref in committed.manifest.objects}
    job = ReadRows(manifest=committed.manifest, files=files, resources=Resources("60MB", 1, tmp_path / "spill"))
    code = """
import sys
from duckback.source.confine import confine
confine("60MB", 1)
try:
    bytearray(2 << 30)
except MemoryError:
    sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
    assert '"hashes_alike":true' in run_job(job, unheard)


@pytest.mark.parametrize(
    ("text", "size"), [("600MB", 600 << 20), ("1.5GiB", 3 << 29), ("2 GB", 2 << 30), ("1024", 1024), ("7kb", 7 << 10)]
)
def test_sizes_are_read_as_duckdb_reads_them(text: str, size: int) -> None:
    assert size_of(text) == size


def test_a_size_in_other_words_is_the_machines_memory() -> None:
    assert size_of("80%") > 1 << 28


def test_a_time_limit_is_told_as_such(tmp_path: Path, full: Place) -> None:
    committed = Duckback(full.repo, state_dir=full.state).find("latest").committed
    files = {ref.key: full.repo / ref.key for ref in committed.manifest.objects}
    resources = Resources("60MB", 1, tmp_path / "spill", seconds=0.05)
    with pytest.raises(TookTooLong, match="was ended after"):
        run_job(ReadRows(manifest=committed.manifest, files=files, resources=resources), unheard)
    assert issubclass(TookTooLong, SourceError)


def test_a_forged_backup_is_refused_where_the_ledger_knows_better_unless_it_is_trusted(full: Place) -> None:
    forge(full, lambda manifest: manifest.model_copy(update={"seconds": {}}))
    for arguments in ([], ["--backup", full.backup_ids()[0]]):
        full.run("restore", full.target, *arguments).failed(20, "not the one that the ledger has recorded", TRUST)
    assert full.beside_target() == []
    full.run("restore", full.target, TRUST).worked()


def test_a_repository_that_was_rolled_back_is_refused_where_the_ledger_knows_better(full: Place) -> None:
    first = full.backup_ids()[0]
    full.change()
    full.run("backup", full.database).worked()
    newest = full.backup_ids()[-1]
    (path,) = (one for one in full.manifests() if one.stem == newest)
    manifest = path.read_bytes()
    path.unlink()
    for verb, *arguments in (
        ("restore", full.target),
        ("restore", full.target, "--backup", "latest"),
        ("query", "FROM people", "--backup", "latest"),
        ("verify", "latest"),
        ("verify", "latest", "--level", "restore"),
    ):
        full.run(verb, *arguments).failed(20, newest, "a newer backup than the repository holds", f"backup: {first}")
    with pytest.raises(IntegrityError, match="a newer backup than the repository holds"):
        Duckback(full.repo, state_dir=full.state).test_restore()
    assert full.beside_target() == []
    full.run("verify", first).worked()
    full.run("restore", full.root / "named.duckdb", "--backup", first).worked()
    full.run("restore", full.target, TRUST).worked()
    path.write_bytes(manifest)
    full.target.unlink()
    full.run("restore", full.target).worked()
    assert full.restored_is_equal()


def test_a_backup_that_names_our_ledger_and_is_not_in_it_is_refused(full: Place, tmp_path: Path) -> None:
    (path,) = full.manifests()
    other = "01927f3e-0000-7000-8000-000000000000"

    def another(manifest: Manifest) -> Manifest:
        return manifest.model_copy(update={"backup_id": type(manifest.backup_id)(other)})

    forge(full, another)
    path.rename(path.with_name(f"{other}.json"))
    full.run("restore", full.target, "--backup", other).failed(20, "which knows nothing of it")
    full.state = tmp_path / "another"
    full.run("restore", full.target, "--backup", other).worked()


def test_what_is_fetched_waits_read_only_in_a_private_directory(
    full: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from S3: a store that has no local paths."""
    monkeypatch.setattr(LocalStore, "local_path", lambda self, key: None)
    seen: dict[str, Any] = {}

    def look(job: Any, report: Any) -> str:
        files = list(job.files.values())
        seen["modes"] = {stat.S_IMODE(path.stat().st_mode) for path in files}
        seen["above"] = {stat.S_IMODE(path.parent.parent.stat().st_mode) for path in files}
        seen["beside"] = {path.parent for path in files} & {job.target.parent}
        seen["target"] = stat.S_IMODE(job.target.parent.stat().st_mode)
        return run_job(job, report)

    monkeypatch.setattr("duckback.processors.restore_duckdb_from_parquet.run_job", look)
    full.run("restore", full.target).worked()
    assert seen == {"modes": {0o400}, "above": {0o700}, "beside": set(), "target": 0o700}


def test_no_key_or_secret_is_in_arguments_logs_manifests_or_errors(seaweed: Seaweed, tmp_path: Path) -> None:
    place = Place(tmp_path)
    secrets = ["planted-secret-key", "planted-session-token", "planted-access-key"]
    planted = dict(zip(("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"), secrets, strict=True))
    bucket = seaweed.bucket()
    options = ["--s3-endpoint-url", seaweed.endpoint, "--s3-addressing-style", "path", "--s3-region", REGION, "-v"]
    ours = IDENTITIES["admin"][1]
    said: list[str] = []
    good = ["--s3-profile", "admin"]
    for code, verb, profile in (
        (0, ["backup", str(place.database)], good),
        (40, ["backup", str(place.database)], []),
        (0, ["restore", str(place.target)], good),
    ):
        ran = place.spawn(*verb, *options, *profile, repo=f"s3://{bucket}/x", environment=planted)
        assert ran.code == code, ran
        said += [ran.out, ran.err]
    kept = [path.read_bytes().decode("latin1") for path in place.state.rglob("*") if path.is_file()]
    client = seaweed.client()
    stored = [
        client.get_object(Bucket=bucket, Key=row["Key"])["Body"].read().decode("latin1")
        for row in client.list_objects_v2(Bucket=bucket)["Contents"]
    ]
    client.close()
    assert len(stored) >= 4
    for text in (*said, *kept, *stored):
        assert not [secret for secret in (*secrets[:2], ours) if secret in text]


def test_a_worker_is_told_nothing_on_its_command_line(full: Place) -> None:
    child = subprocess.Popen(
        full.command("verify", "--level", "data"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=full.root
    )
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    seen: set[bytes] = set()
    while child.poll() is None:
        workers: list[str] = []
        with suppress(FileNotFoundError, ProcessLookupError):
            workers = children.read_text().split()
        for worker in workers:
            line = Path(f"/proc/{worker}/cmdline")
            with suppress(FileNotFoundError, ProcessLookupError):
                seen.add(line.read_bytes())
    assert child.returncode == 0
    words = [line.rstrip(b"\0").split(b"\0")[1:] for line in seen if b"duckback.source.worker" in line]
    assert words
    assert all(word == [b"-m", b"duckback.source.worker"] for word in words)


def test_a_database_of_any_name_is_restored_to_the_given_path_alone(place: Place) -> None:
    path = small_database(place.root / "small.duckdb")
    place.run("backup", path, "--name", "../../etc/x").worked()
    place.run("restore", place.target, "--name", "../../etc/x").worked()
    place.run("verify", "--level", "restore", "--name", "../../etc/x").worked()
    assert place.beside_target() == ["small.duckdb"]
    with duckdb.connect(place.target) as con:
        assert con.execute("SELECT count(*) FROM people").fetchone() == (50,)
