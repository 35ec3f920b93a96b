"""duckback check: a Nagios plugin; what is wrong is named, and the worst counts."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.fake_tigerbeetle import FakeCluster
from support.place import Place, small_database

from duckback import Duckback
from duckback.audit.room import room
from duckback.config.load import validated
from duckback.processors.compress_parquet import CompressParquet
from duckback.routes.exchange import BackupExchange
from duckback.store.local import LocalStore


def states(place: Place, *arguments: object, code: int) -> dict[str, tuple[str, str]]:
    ran = place.run("check", *arguments, "--json")
    assert ran.code == code, ran
    document = ran.json
    assert document["schema"] == "duckback.check/1"
    assert ["ok", "warning", "critical", "unknown"].index(document["status"]) == code
    return {one["name"]: (one["status"], one["message"]) for one in document["checks"]}


def test_a_fresh_backup_is_ok_in_every_respect(full: Place) -> None:
    found = states(full, full.database, code=0)
    assert list(found) == [
        "configuration",
        "database",
        "repository",
        "ledger",
        "newest backup",
        "verification",
        "test restore",
        "disk",
    ]
    assert {status for status, _ in found.values()} == {"ok"}
    assert not list((full.repo / "probes").glob("*")), "the probe is gone"


def test_the_first_line_is_a_nagios_plugin_s(full: Place) -> None:
    first, *lines = full.run("check", full.database).worked().out.splitlines()
    words, _, numbers = first.partition(" | ")
    assert words == "DUCKBACK OK - all is well"
    assert "'newest backup age'=" in numbers
    assert ";;23400" in numbers, "the RPO: six hours and half an hour"
    assert all(line.startswith("OK ") for line in lines)


def test_a_backup_older_than_the_rpo_is_critical(full: Place) -> None:
    found = states(full, full.database, "--schedule-rpo", "0s", code=2)
    assert found["newest backup"][0] == "critical"
    assert found["repository"][0] == "ok"
    assert full.run("check", full.database, "--schedule-rpo", "0s").out.startswith("DUCKBACK CRITICAL - newest backup:")


def test_no_backup_is_critical_and_a_failed_run_since_the_last_is_a_warning(full: Place) -> None:
    assert states(full, "--name", "other", code=2)["newest backup"] == ("critical", "there is none that can be read")
    assert full.run("backup", full.root / "gone.duckdb", "--name", "small").code == 30
    status, message = states(full, full.database, code=1)["newest backup"]
    assert status == "warning"
    assert "backups that failed since: 1" in message


def test_a_backup_under_way_has_not_failed_and_one_that_nobody_works_at_has(
    full: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    compress, seen = CompressParquet.process, []

    def process(self: CompressParquet, exchange: BackupExchange) -> BackupExchange:
        seen.append(states(full, full.database, code=0)["newest backup"][0])
        with monkeypatch.context() as killed:
            killed.setattr("duckback.repository.leases._held", set())
            seen.append(states(full, full.database, code=1)["newest backup"][0])
        return compress(self, exchange)

    monkeypatch.setattr(CompressParquet, "process", process)
    full.run("backup", full.database, "--full").worked()
    assert seen == ["ok", "warning"]


def test_a_repository_that_cannot_be_written_to_is_critical(full: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = full.root / "file"
    nowhere.write_text("x")
    ran = full.run("check", full.database, "--json", repo=nowhere / "repo")
    assert ran.code == 2
    assert {one["status"] for one in ran.json["checks"] if one["name"] == "repository"} == {"critical"}
    monkeypatch.setattr(LocalStore, "create", lambda self, key, data, **_: _write(self.local_path(key), data))
    status, message = states(full, full.database, code=2)["repository"]
    assert status == "critical"
    assert "a second create of one key is not refused" in message


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def test_a_store_that_does_not_encrypt_or_delete_is_critical(full: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    # A local store that answers as one without encryption would.
    monkeypatch.setattr(LocalStore, "local_path", lambda *_: None)
    message = states(full, "--name", "small", code=2)["repository"][1]
    assert "encryption none instead of AES256" in message
    assert states(full, "--name", "small", "--s3-sse", "none", code=0)["repository"][0] == "ok"
    monkeypatch.setattr(LocalStore, "delete", lambda *_: [])
    assert (
        "still listed after its delete" in states(full, "--name", "small", "--s3-sse", "none", code=2)["repository"][1]
    )


def test_events_that_wait_are_a_warning(full: Place, fake_cluster: FakeCluster) -> None:
    there = ("--tigerbeetle-addresses", "127.0.0.1:3000")
    status, message = states(full, full.database, *there, code=1)["ledger"]
    assert status == "warning"
    assert message.startswith("2 events wait for TigerBeetle")
    full.run("ledger sync", *there).worked()
    assert states(full, full.database, *there, code=0)["ledger"][0] == "ok"


def test_verifications_and_test_restores_are_compared_with_their_intervals(full: Place) -> None:
    def after(days: float) -> dict[str, str]:
        clock = lambda: datetime.now(UTC) + timedelta(days=days)  # noqa: E731
        found = Duckback(full.repo, state_dir=full.state, clock=clock).health.check(full.database)
        return {one.name: one.status.word for one in found}

    # An interval, and an hour of grace.
    assert (after(1)["verification"], after(1.1)["verification"]) == ("ok", "warning")
    assert (after(30)["test restore"], after(30.1)["test restore"]) == ("ok", "warning")
    full.objects()[0].chmod(0o600)
    full.objects()[0].write_bytes(b"other bytes")
    assert full.run("verify").code == 20
    status, message = states(full, full.database, code=2)["verification"]
    assert status == "critical"
    assert full.backup_ids()[0] in message
    assert states(full, full.database, "--schedule-verify", "never", code=2)["verification"][0] == "critical"


def test_a_damaged_manifest_is_critical_and_counts_as_no_backup(full: Place) -> None:
    full.manifests()[0].chmod(0o600)
    full.manifests()[0].write_text("{}")
    found = states(full, full.database, code=2)
    assert found["newest backup"] == ("critical", "there is none that can be read")
    assert "is not a manifest" in found["manifests"][1]


def test_room_for_the_image_and_for_staging_is_compared_with_what_is_free(
    full: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(full.root)
    for free, status in ((1_000, "critical"), (2_300_000, "warning"), (10**12, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))
        code = {"critical": 2, "warning": 1, "ok": 0}[status]
        assert states(full, full.database, code=code)["disk"][0] == status


def test_without_a_file_or_a_backup_nothing_is_said_of_the_room(tmp_path: Path) -> None:
    assert room(validated({"state_dir": tmp_path}), None, None) == []


@pytest.mark.parametrize(
    "arguments",
    [("--bogus",), ("--niceness", "20"), ("--config", "/no/such/file"), ("--schedule-full", "sometimes"), ("a", "b")],
)
def test_a_wrong_use_is_unknown_which_is_3(full: Place, arguments: tuple[str, ...]) -> None:
    ran = full.run("check", *arguments)
    ran.failed(3, "duckback: ")
    assert ran.out.startswith("DUCKBACK UNKNOWN - ")
    document = full.run("check", *arguments, "--json").json
    assert document["status"] == "unknown"


def configured(place: Place, text: str, *arguments: object) -> Any:
    place.database  # noqa: B018 -- it is made when first asked for
    file = place.root / "duckback.toml"
    file.write_text(text)
    ran = place.run("check", "--config", file, "--json", *arguments)
    return ran.code, {one["name"]: one["status"] for one in json.loads(ran.out)["checks"]}


def test_every_database_of_the_configuration_file_is_checked(full: Place) -> None:
    small_database(full.root / "second.duckdb")
    tables = f'[[database]]\npath = "{full.root}/small.duckdb"\n[[database]]\npath = "{full.root}/second.duckdb"\n'
    code, found = configured(full, tables)
    assert code == 2
    assert (found["small: newest backup"], found["second: newest backup"]) == ("ok", "critical")
    code, found = configured(full, f'{tables}\n[database.schedule]\nfulll = "24h"\n')
    assert code == 3


@pytest.mark.parametrize("name", ['name = "small"\n', ""])
def test_the_file_of_the_only_database_and_of_a_named_one_is_looked_at(full: Place, name: str) -> None:
    lost = f'[[database]]\n{name}path = "{full.root}/lost/small.duckdb"\n'
    code, found = configured(full, lost)
    assert (code, found["database"]) == (2, "critical")
    two = f'{lost}[[database]]\npath = "{full.root}/second.duckdb"\n'
    code, found = configured(full, two, "--name", "small")
    assert (code, found["database"]) == (2, "critical")
    assert "second: database" not in found
