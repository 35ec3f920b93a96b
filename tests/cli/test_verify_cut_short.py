"""duckback verify that cannot reach every backup: what it has found by then is said, and stays on record."""

from pathlib import Path
from typing import Any

import pytest
from support.place import Place

from duckback.errors import AccessDenied, LedgerError, TookTooLong
from duckback.ledger.embedded import EmbeddedLedger
from duckback.source.child import run_job
from duckback.store.local import LocalStore


@pytest.fixture
def two(full: Place) -> Place:
    """A place with two full backups, the newer of which is damaged: the one that a verification begins with."""
    full.run("backup", full.database, "--full").worked()
    newest = full.backup_ids()[-1]
    damaged = next(path for path in full.objects() if path.name.startswith(newest))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    return full


def deny(patch: pytest.MonkeyPatch, backup_id: str) -> None:
    """The store refuses to say anything of a backup's objects."""
    for name in ("head", "local_path"):
        honest = getattr(LocalStore, name)

        def answer(store: LocalStore, key: str, honest: Any = honest, **more: Any) -> Any:
            if Path(key).name.startswith(backup_id) and key.endswith(".parquet"):
                raise AccessDenied(f"cannot read {key}: Permission denied")
            return honest(store, key, **more)

        patch.setattr(LocalStore, name, answer)


def states(place: Place) -> list[str]:
    return [one["status"] for one in place.run("list", "--json").worked().json["backups"]]


@pytest.mark.parametrize("level", ["objects", "data", "restore"])
def test_what_was_found_before_the_store_refused_is_said_and_on_record(
    two: Place, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    first, second = two.backup_ids()
    with monkeypatch.context() as patch:
        deny(patch, first)
        two.run("verify", "--level", level).failed(40, "Permission denied", f"found bad before that: {second}")
    assert states(two) == ["committed", "failed-verification"]
    assert [kind for kind, _ in two.events()].count("verification") == 1
    assert len(list(two.repo.rglob(f"proofs/{second}/*-bad-*.json"))) == 1
    assert not list(two.repo.rglob(f"proofs/{first}/*"))
    assert two.staged() == []


def test_what_was_found_before_a_backup_took_too_long_is_said_and_on_record(
    two: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two.backup_ids()

    def run(job: Any, *words: Any) -> str:
        if str(job.manifest.backup_id) == first:
            raise TookTooLong("the worker process was ended after 1 s", hint="Give it longer: --job-timeout.")
        return run_job(job, *words)

    with monkeypatch.context() as patch:
        patch.setattr("duckback.source.checking.run_job", run)
        ran = two.run("verify", "--level", "data")
        ran.failed(30, "was ended after", f"found bad before that: {second}", "--job-timeout")
    assert states(two) == ["committed", "failed-verification"]


def test_a_failure_to_record_does_not_hide_what_cut_the_run_short(two: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two.backup_ids()

    def full_disk(*_: Any, **__: Any) -> None:
        raise LedgerError("the ledger's disk is full")

    deny(monkeypatch, first)
    monkeypatch.setattr(EmbeddedLedger, "record", full_disk)
    two.run("verify").failed(40, "Permission denied", f"found bad before that: {second}", "the ledger's disk is full")
