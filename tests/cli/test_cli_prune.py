"""duckback prune, pin, unlock and list --leases, as operators and scripts see them."""

import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from support.place import Place, copies

from duckback import Duckback
from duckback.errors import Locked
from duckback.model.lease import Owner
from duckback.model.seal import seal, unseal
from duckback.repository import layout
from duckback.source.demo import differing_rows
from duckback.store.keys import TEMPORARY
from duckback.store.local import LocalStore

DAY = timedelta(days=1)


def days_ago(age: int) -> datetime:
    return datetime.now(UTC) - age * DAY


@pytest.fixture(scope="module")
def aged_stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a full backup of 100 days ago, an incremental of the next day, and a full one of 2 days ago."""
    place = Place(tmp_path_factory.mktemp("aged"))
    for age, scope in ((100, "full"), (99, "incremental"), (2, "full")):
        place.change()
        then = Duckback(place.repo, state_dir=place.state, threads=1, clock=partial(days_ago, age))
        then.backup(place.database, scope="full" if scope == "full" else "incremental")
    return place.root


@pytest.fixture
def aged(aged_stock: Path, tmp_path: Path) -> Iterator[Place]:
    """A place of one's own that holds these three."""
    yield from copies(aged_stock, tmp_path)


def test_a_dry_run_names_what_would_go_and_why_the_rest_stays(aged: Place) -> None:
    ids, objects = aged.backup_ids(), aged.objects()
    answer = aged.run("prune", "--dry-run", "--grace", "0s", "--json").worked().json
    assert list(answer) == ["schema", "dry_run", "backups", "orphans", "refused"]
    assert (answer["schema"], answer["dry_run"]) == ("duckback.prune/1", True)
    assert [(one["id"], one["decision"]) for one in answer["backups"]] == [
        (ids[0], "remove"),
        (ids[1], "remove"),
        (ids[2], "keep"),
    ]
    assert [one["reason"] for one in answer["backups"]] == [
        "older than 90d, and no rule keeps it",
        "older than 90d, and no rule keeps it",
        "younger than 90d; the newest backup; the last full backup",
    ]
    assert aged.objects() == objects


def test_a_prune_frees_what_it_said_and_what_stays_comes_back(aged: Place) -> None:
    said = aged.run("prune", "--dry-run", "--grace", "0s", "--json").worked().json["backups"]
    before = sum(path.stat().st_size for path in aged.objects())
    done = aged.run("prune", "--grace", "0s", "--json").worked().json
    assert done["backups"] == said
    assert sum(path.stat().st_size for path in aged.objects()) == before - sum(one["bytes"] for one in said)
    aged.run("restore", aged.target).worked()
    assert not any(differing_rows(aged.database, aged.target).values())
    assert aged.run("ledger verify").worked().out == "no contradiction\n"
    assert aged.run("verify").worked()


def test_the_grace_period_is_24_hours_by_the_clock_of_the_store_too(aged: Place) -> None:
    answer = aged.run("prune", "--json").worked().json["backups"]
    assert {one["decision"] for one in answer} == {"keep"}
    assert all("within the grace period of 1d" in one["reason"] for one in answer)


def test_a_clock_that_is_years_ahead_removes_nothing_that_is_young(full: Place) -> None:
    full.run("backup", full.database, "--full").worked()
    ahead = Duckback(full.repo, state_dir=full.state, retention={"grace": "0s"}, clock=partial(days_ago, -1000))
    assert [one.is_kept for one in ahead.prune().decisions] == [True, True]


def test_a_full_backup_prunes_by_the_same_rules(aged: Place) -> None:
    young = aged.backup_ids()[2]
    aged.run("backup", aged.database, "--full", "--grace", "0s").worked()
    assert aged.backup_ids()[0] == young
    assert len(aged.backup_ids()) == 2
    assert [kind for kind, _ in aged.events()].count("pruned") == 2


def test_an_incremental_removes_nothing(aged: Place) -> None:
    aged.run("backup", aged.database, "--grace", "0s").worked()
    assert len(aged.backup_ids()) == 4


def test_a_clean_up_that_fails_is_told_and_the_backup_is_good(aged: Place) -> None:
    aged.manifests()[0].write_text("{}")
    ran = aged.run("backup", aged.database, "--full", "--grace", "0s")
    assert ran.code == 0
    assert "the backup is complete, but its clean-up failed" in ran.err
    assert len(aged.manifests()) == 4


def test_a_pin_keeps_a_backup_until_it_is_removed(aged: Place) -> None:
    old = aged.backup_ids()[0]
    assert aged.run("pin", old, "--reason", "the audit").worked().out == f"{old} is pinned: the audit\n"
    assert [one["pinned"] for one in aged.run("list", "--json").worked().json["backups"]] == [True, False, False]
    aged.run("prune", "--grace", "0s").worked()
    assert aged.backup_ids()[0] == old
    aged.run("pin", old, "--remove").worked()
    aged.run("prune", "--grace", "0s").worked()
    assert old not in aged.backup_ids()


def test_a_pin_without_a_reason_is_a_wrong_use(aged: Place) -> None:
    aged.run("pin", "latest").failed(2, "a pin needs a reason")
    aged.run("pin", "latest", "--reason", "").failed(2, "1 to 1000 characters")


@pytest.mark.parametrize("arguments", [("--keep-within", "0s"), ("--keep-within", "1d")])
def test_a_policy_that_would_remove_everything_is_refused(aged: Place, arguments: tuple[str, ...]) -> None:
    aged.run("prune", "--grace", "0s", *arguments).failed(2, "would remove every backup of 'small'", "--keep-last")
    assert len(aged.backup_ids()) == 3


def test_an_unknown_time_zone_and_a_negative_count_are_wrong_uses(aged: Place) -> None:
    aged.run("prune", "--time-zone", "Europe/Berln").failed(2, "retention.time_zone")
    aged.run("prune", "--keep-last", "-1").failed(2, "retention.keep_last")


def test_object_lock_is_refused_where_the_store_has_none(place: Place) -> None:
    place.run("backup", place.database, "--object-lock", "governance").failed(2, "only S3 has an object lock")


def another_process_at_work(place: Place, kind: str, pid: int) -> None:
    owner = Owner(run_id=uuid4(), host="db2", pid=pid, place=None, since=datetime.now(UTC))
    key = layout.lease_key("small", "prune" if kind == "prune" else "backup", 1, 0)
    LocalStore(place.repo).create(key, owner.model_dump_json().encode())


def test_who_is_at_work_is_listed_and_unlock_ends_it(full: Place) -> None:
    another_process_at_work(full, "backup", 4711)
    (one,) = full.run("list", "--leases", "--json").worked().json["leases"]
    assert (one["name"], one["kind"], one["pid"], one["host"]) == ("small", "backup", 4711, "db2")
    assert "small\tbackup\t4711\tdb2\t" in full.run("list", "--leases").worked().out
    assert full.run("unlock").worked().out == "ended: backup of small by process 4711 on db2\n"
    assert full.run("list", "--leases").worked().out == ""
    assert full.run("unlock").worked().out == "there are no leases\n"


@pytest.mark.parametrize(("verb", "kind"), [("prune", "prune"), ("backup", "backup")])
def test_busy_is_exit_11_and_never_success(full: Place, monkeypatch: pytest.MonkeyPatch, verb: str, kind: str) -> None:
    another_process_at_work(full, kind, 4711)
    monkeypatch.setattr("duckback.repository.leases.Leases._is_stale", lambda *_: False)
    arguments = [full.database] if verb == "backup" else []
    full.run(verb, *arguments).failed(11, "under way already (process 4711 on db2)", "duckback unlock")
    assert len(full.backup_ids()) == 1


def test_a_backup_goes_on_where_another_one_was_killed_on_this_machine(place: Place) -> None:
    running = subprocess.Popen(place.command("backup", place.database), cwd=place.root, env=os.environ)
    folder = place.repo / "small" / "leases" / "backup"
    while not folder.is_dir() or not any(folder.iterdir()):
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    place.run("backup", place.database).worked()
    assert list(LocalStore(place.repo).list("small/leases/")) == []


@pytest.mark.parametrize("folder", ["leases/backup", "manifests", "pruned", "duckdb/full"])
def test_what_a_killed_process_left_half_written_goes_after_the_grace_period(full: Place, folder: str) -> None:
    left = full.repo / "small" / folder / f"{TEMPORARY}0123456789abcdef"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"half")
    full.run("prune").worked()
    assert left.exists()
    full.run("prune", "--grace", "0s").worked()
    assert not left.exists()


def test_a_prune_meets_a_prune_in_another_thread(aged: Place) -> None:
    duckback = Duckback(aged.repo, state_dir=aged.state, retention={"grace": "0s"})
    with duckback._wiring.leases("small").hold("prune"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("duckback.repository.leases.Leases._is_stale", lambda *_: False)
            with pytest.raises(Locked, match=f"process {os.getpid()} on"):
                duckback.prune()
    assert len(duckback.prune().decisions) == 3


def test_a_cache_that_is_damaged_or_old_is_read_anew(aged: Place) -> None:
    wanted = aged.run("list", "--json").worked().json
    cached = sorted((aged.state / "cache").rglob("manifests/*.json"))
    assert len(cached) == 3
    cached[0].write_bytes(cached[0].read_bytes().replace(b'"rows":4', b'"rows":9'))
    assert b'"rows":9' in cached[0].read_bytes()
    cached[1].write_bytes(cached[2].read_bytes())
    assert aged.run("list", "--json").worked().json == wanted


def test_a_manifest_that_was_exchanged_is_not_answered_from_the_cache(aged: Place) -> None:
    aged.run("list").worked()
    path: Path = aged.manifests()[0]
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(seal((unseal(data) or b"").replace(b'"database":"small"', b'"database":"smalk"')))
    aged.run("list").failed(20, "another database")
