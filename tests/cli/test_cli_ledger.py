"""duckback ledger: list, show, verify and sync, beside a double of TigerBeetle; tests/contract compares it to a real one."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from support.fake_tigerbeetle import FakeCluster
from support.place import Place

from duckback.model.seal import seal

THERE = ("--tigerbeetle-addresses", "127.0.0.1:3000", "--ledger-timeout", "1s")


def findings(place: Place, *options: str) -> set[str]:
    ran = place.run("ledger verify", "--json", *options)
    assert ran.code == (20 if ran.json["findings"] else 0), ran
    return {one["finding"] for one in ran.json["findings"]}


def behind_its_back(place: Place, *statements: str) -> None:
    with closing(sqlite3.connect(place.state / "ledger.sqlite")) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for statement in (*(f"DROP TRIGGER {name}" for (name,) in triggers), *statements):
            connection.execute(statement)
        connection.commit()


def test_list_shows_events_oldest_first(full: Place) -> None:
    (backup,) = full.backup_ids()
    full.run("verify").worked()
    shown = full.run("ledger list", "--json").worked().json
    assert shown["schema"] == "duckback.ledger-list/1"
    assert (shown["tigerbeetle"], shown["undelivered"], shown["parked"]) == (None, 0, 0)
    assert [one["event"] for one in shown["events"]] == ["started", "completed", "verification"]
    assert {one["backup_id"] for one in shown["events"]} == {backup}
    assert shown["events"][1]["id"] == backup
    assert shown["events"][1]["amount"] == str(sum(path.stat().st_size for path in full.objects()))
    assert shown["events"][2]["details"] == {"level": "objects", "result": "good"}
    lines = full.run("ledger list").worked().out.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["started", "completed", "verification"]


def test_list_filters_by_database_event_and_time(full: Place) -> None:
    full.run("backup", full.database, "--name", "other").worked()
    times = [one["recorded_at"] for one in full.run("ledger list", "--json").json["events"]]

    def kinds(*options: str) -> list[tuple[str, str]]:
        events = full.run("ledger list", "--json", *options).worked().json["events"]
        return [(one["name"], one["event"]) for one in events]

    assert kinds("--event", "completed") == [("small", "completed"), ("other", "completed")]
    assert kinds("--name", "other") == [("other", "started"), ("other", "completed")]
    assert kinds("--since", times[3]) == [("other", "completed")]
    assert kinds("--until", times[1]) == [("small", "started")]
    assert kinds("--since", times[1], "--until", times[2], "--event", "completed") == [("small", "completed")]
    full.run("ledger list", "--since", "yesterday").failed(2, "--since 'yesterday' is not a time")


def test_list_needs_no_repository(full: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(full.repo)
    monkeypatch.setattr(Place, "_line", lambda self, verb, arguments, repo: [*verb.split(), *map(str, arguments)])
    assert len(full.run("ledger list", "--json", "--state-dir", full.state).worked().json["events"]) == 2


@pytest.mark.parametrize("short", ["latest", 36, 35])
def test_show_has_every_field_and_ids_in_decimal_as_uuid_and_in_hex(full: Place, short: str | int) -> None:
    (backup,) = full.backup_ids()
    argument = short if isinstance(short, str) else backup[:short]
    shown = full.run("ledger show", argument, "--json").worked().json
    assert shown["schema"] == "duckback.ledger-show/1"
    transfer, meaning = shown["transfer"], shown["meaning"]
    number = UUID(backup).int
    assert transfer["id"] == {"decimal": str(number), "uuid": backup, "hex": f"0x{number:032x}"}
    assert transfer["debit_account_id"] != transfer["credit_account_id"]
    assert (transfer["code"], transfer["ledger"]) == ("12", "1")
    assert transfer["amount"] == str(sum(path.stat().st_size for path in full.objects()))
    start = datetime.fromisoformat(full.run("show", "latest", "--json").json["manifest"]["started_at"])
    assert transfer["user_data_64"] == str(int(start.timestamp()))
    digest = full.run("show", "latest", "--json").json["manifest_sha256"]
    packed = int(transfer["user_data_128"]["decimal"])
    low = int(transfer["user_data_32"]["decimal"])
    assert f"{packed % 2**72:018x}{low:08x}" == digest[:26]
    assert (meaning["event"], meaning["scope"], meaning["retention_days"]) == ("completed", "full", 90)
    assert meaning["name"] == "small"
    text = full.run("ledger show", argument).worked().out
    assert re.search(rf"^id +{number}  {backup}  0x{number:032x}$", text, re.MULTILINE)


def test_show_of_another_event_and_of_none(full: Place) -> None:
    (backup,) = full.backup_ids()
    shown = full.run("ledger show", backup, "--event", "started", "--json").worked().json
    assert shown["meaning"]["event"] == "started"
    assert shown["transfer"]["amount"] == "0"
    full.run("ledger show", backup, "--event", "failed").failed(12, backup, "ledger list")
    full.run("ledger show", "ffff").failed(12, "ffff")
    full.run("backup", full.database).worked()
    full.run("ledger show", backup[:2]).failed(12, "more than one backup begins")


def test_a_failed_run_shows_its_message(full: Place) -> None:
    assert full.run("backup", full.root / "absent.duckdb").code == 30
    failed = full.run("ledger list", "--event", "failed", "--json").json["events"][0]
    shown = full.run("ledger show", failed["backup_id"], "--json").worked().json
    assert (shown["meaning"]["event"], shown["transfer"]["amount"]) == ("failed", "0")
    assert "no database file" in shown["meaning"]["error_message"]
    assert shown["meaning"]["manifest_sha256"] is None


def test_what_is_recorded_is_delivered_after_the_run(full: Place, fake_cluster: FakeCluster) -> None:
    full.run("backup", full.database, *THERE).worked()
    shown = full.run("ledger list", "--json", *THERE).json
    assert [one["delivery"] for one in shown["events"]] == ["delivered"] * 4
    assert shown["tigerbeetle"] == "tigerbeetle:0:1"
    with fake_cluster.state() as state:
        assert [str(UUID(int=one)) for one in state.transfers] == [one["id"] for one in shown["events"]]
    assert findings(full, *THERE) == set()


def test_every_route_delivers(full: Place, fake_cluster: FakeCluster) -> None:
    full.run("verify", *THERE).worked()
    full.run("restore", full.target, *THERE).worked()
    assert full.run("backup", full.root / "absent.duckdb", *THERE).code == 30
    events = full.run("ledger list", "--json", *THERE).json["events"]
    assert [one["event"] for one in events] == ["started", "completed", "verification", "recovery", "started", "failed"]
    assert {one["delivery"] for one in events} == {"delivered"}


def test_a_server_that_is_silent_fails_no_run_and_is_told(full: Place, fake_cluster: FakeCluster) -> None:
    fake_cluster.silent = True
    for verb in ("backup", "verify", "restore"):
        argument = {"backup": [full.database], "restore": [full.target]}.get(verb, [])
        ran = full.run(verb, *argument, *THERE).worked()
        assert "did not answer in time; events that wait for it:" in ran.err
    listed = full.run("ledger list", *THERE).worked()
    assert "events not delivered yet: 7, the oldest of 20" in listed.err
    assert full.run("ledger list", "--json", *THERE).json["undelivered"] == 7


def test_sync_delivers_what_waits(full: Place, fake_cluster: FakeCluster) -> None:
    fake_cluster.silent = True
    synced = full.run("ledger sync", "--json", *THERE)
    synced.failed(50, "did not answer in time", "events not delivered yet: 2")
    assert (synced.json["delivered"], synced.json["undelivered"]) == (0, 2)
    assert "did not answer" in synced.json["unavailable"]
    fake_cluster.silent = False
    done = full.run("ledger sync", "--json", *THERE).worked().json
    assert done["schema"] == "duckback.ledger-sync/1"
    assert (done["delivered"], done["undelivered"], done["parked"], done["refused"]) == (2, 0, 0, [])
    assert full.run("ledger sync", *THERE).worked().out == "events delivered: 0\n"


def test_sync_names_what_is_refused_and_delivers_the_rest(full: Place, fake_cluster: FakeCluster) -> None:
    (backup,) = full.backup_ids()
    full.run("ledger sync", *THERE).worked()
    behind_its_back(
        full, f"UPDATE entry SET amount = zeroblob(16) WHERE id = x'{UUID(backup).hex}'", "DELETE FROM delivery"
    )
    full.run("verify").worked()
    synced = full.run("ledger sync", "--json", *THERE)
    synced.failed(50, backup, "exists with different amount", "TigerBeetle refused: 1")
    assert (synced.json["delivered"], synced.json["parked"]) == (2, 1)
    assert synced.json["refused"][0]["event"] == "completed"
    record = next(
        one for one in full.run("ledger list", "--json", *THERE).json["events"] if one["delivery"] == "parked"
    )
    assert (record["backup_id"], "different amount" in record["refusal"]) == (backup, True)


def test_sync_without_a_server_is_a_wrong_call(full: Place) -> None:
    full.run("ledger sync").failed(2, "no TigerBeetle is configured", "--tigerbeetle-addresses")


def test_verify_finds_nothing_where_nothing_is_wrong(full: Place, fake_cluster: FakeCluster) -> None:
    shown = full.run("ledger verify", "--json").worked().json
    assert shown == {
        "schema": "duckback.ledger-verify/1",
        "result": "good",
        "findings": [],
        "unknown": [],
        "pending": [],
        "tigerbeetle": None,
        "unavailable": None,
    }
    assert full.run("ledger verify").worked().out == "no contradiction\n"


def test_verify_names_a_backup_that_was_deleted(full: Place) -> None:
    (backup,) = full.backup_ids()
    full.manifests()[0].unlink()
    full.run("ledger verify").failed(20)
    assert findings(full) == {"backup-missing", "balance"}
    assert backup in full.run("ledger verify").out


def test_verify_names_a_manifest_that_was_changed(full: Place) -> None:
    path = full.manifests()[0]
    document = json.loads(path.read_text()) | {"duckback_version": "9.9.9"}
    del document["sha256"]
    path.write_bytes(seal(json.dumps(document).encode()))
    assert findings(full) == {"manifest-changed"}


def test_verify_names_a_manifest_that_is_damaged(full: Place) -> None:
    full.manifests()[0].write_text("{}")
    assert findings(full) == {"manifest-damaged"}


def test_verify_names_an_entry_that_was_altered(full: Place) -> None:
    behind_its_back(full, "UPDATE entry SET database = 'cold' WHERE seq = 1")
    assert findings(full) == {"chain-broken"}


def test_verify_names_an_entry_that_cannot_be_read(full: Place) -> None:
    behind_its_back(full, "UPDATE entry SET kind = 'other' WHERE seq = 1")
    assert "chain-broken" in findings(full)


def test_verify_names_a_tail_that_was_cut(full: Place) -> None:
    behind_its_back(full, "DELETE FROM entry")
    assert findings(full) == {"tail-cut", "manifest-unrecorded"}


def test_verify_names_a_tail_that_was_cut_after_the_last_head(full: Place, fake_cluster: FakeCluster) -> None:
    full.run("ledger sync", *THERE).worked()
    behind_its_back(full, "DELETE FROM entry WHERE seq = 2", "DELETE FROM delivery")
    assert findings(full, *THERE) == {"tail-cut"}


def test_verify_names_a_balance_that_is_off(full: Place, fake_cluster: FakeCluster) -> None:
    full.run("ledger sync", *THERE).worked()
    with fake_cluster.state() as state:
        transfer = state.transfers[UUID(full.backup_ids()[0]).int]
        transfer.amount += 1
    assert findings(full, *THERE) == {"transfer-changed", "amount", "balance"}


def test_verify_of_a_repository_that_was_rolled_back(full: Place, fake_cluster: FakeCluster) -> None:
    shutil.copytree(full.repo, full.root / "older")
    full.run("backup", full.database, "--full", *THERE).worked()
    shutil.rmtree(full.repo)
    (full.root / "older").rename(full.repo)
    assert findings(full, *THERE) == {"backup-missing", "balance"}


def test_verify_without_an_answer_says_so_and_compares_the_rest(full: Place, fake_cluster: FakeCluster) -> None:
    fake_cluster.silent = True
    ran = full.run("ledger verify", "--json", *THERE)
    ran.failed(50, "did not answer in time")
    assert (ran.json["result"], ran.json["findings"]) == ("good", [])
    full.manifests()[0].unlink()
    full.run("ledger verify", *THERE).failed(20, "did not answer in time")


def test_on_a_new_machine_events_are_unknown_and_everything_works(full: Place, fake_cluster: FakeCluster) -> None:
    (backup,) = full.backup_ids()
    full.run("ledger sync", *THERE).worked()
    full.state = full.root / "new machine"
    shown = full.run("ledger verify", "--json").worked().json
    assert (shown["unknown"], shown["findings"]) == ([backup], [])
    assert "whose events this host does not know: 1" in full.run("ledger verify").err
    full.run("show", backup).worked()
    full.run("restore", full.target).worked()
    assert full.restored_is_equal()
    full.run("ledger show", backup, "--event", "completed", *THERE).worked()
    assert full.run("ledger verify", "--json", *THERE).worked().json["unknown"] == []
    assert full.run("backup", full.database, *THERE).worked()
    assert findings(full, *THERE) == set()


def test_a_run_in_the_middle_of_an_audit_is_no_contradiction(full: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from duckback.audit import reading  # noqa: PLC0415 - patched here alone

    look, ran = reading._backups, list[int]()

    def meanwhile(repository: object) -> object:
        if not ran:
            ran.append(full.run("backup", full.database).code)
        return look(repository)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(reading, "_backups", meanwhile)
    assert findings(full) == set()
    assert ran == [0]


def test_what_a_killed_run_left_is_pending(full: Place) -> None:
    behind_its_back(full, "DELETE FROM entry WHERE kind = 'completed'")
    shown = full.run("ledger verify", "--json").worked().json
    assert "is committed and not recorded" in shown["pending"][0]
    full.run("backup", full.database).worked()
    assert full.run("ledger verify", "--json").json["pending"] == []


def test_the_ledger_of_a_place_without_a_repository(place: Place) -> None:
    place.run("ledger verify").failed(10)
    place.run("ledger list").failed(10)


def test_a_damaged_ledger_is_an_error_of_the_ledger(full: Place) -> None:
    Path(full.state / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    for verb in ("ledger list", "ledger verify", "ledger show latest"):
        full.run(verb).failed(50, "not a database")
