"""Hooks around routes: who is told what, and that a bad hook makes no good backup bad and hides no bad one."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any
from uuid import UUID

import duckdb
import pytest
from pydantic import SecretStr
from support.listener import Listener
from support.place import Place

from duckback import Duckback
from duckback.config.service import HookOptions
from duckback.hooks import Hooks, Told
from duckback.hooks.senders import HookFailed, run_command
from duckback.store.base import DeleteFailure
from duckback.store.local import LocalStore

SECRET = "s3cr3t-token-of-the-hook"
TOLD = Told(
    event="start",
    route="duckdb-full-export",
    database="small",
    repository="/repo",
    run_id=UUID(int=1),
    at=datetime(2026, 11, 26, tzinfo=UTC),
)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as found:
        yield found


def command(code: str) -> str:
    return f"{sys.executable} -c '{code}'"


def test_a_webhook_hears_of_the_start_and_the_success_of_a_backup(place: Place, listener: Listener) -> None:
    url = f"{listener.url}/hook/{SECRET}"
    done = place.run("backup", place.database, "--hooks-webhook", url, "--json").worked()
    assert [path for path, _ in listener.got] == [f"/hook/{SECRET}"] * 2
    start, success = (told for _, told in listener.got)
    assert start["schema"] == "duckback.hook/1"
    assert (start["event"], success["event"]) == ("start", "success")
    assert {one["route"] for one in (start, success)} == {"duckdb-full-export"}
    assert {one["database"] for one in (start, success)} == {"small"}
    assert start["run_id"] == success["run_id"]
    assert success["backup_id"] == done.json["id"]
    assert (success["rows"], success["scope"]) == (450, "full")


def test_a_ping_is_start_then_nothing_then_fail_with_the_run_s_id(full: Place, listener: Listener) -> None:
    full.run("backup", full.database, "--hooks-ping", f"{listener.url}/abc").worked()
    full.run("backup", full.root / "absent.duckdb", "--hooks-ping", f"{listener.url}/abc").failed(30)
    paths = [path.partition("?rid=") for path, _ in listener.got]
    assert [path for path, _, _ in paths] == ["/abc/start", "/abc", "/abc/start", "/abc/fail"]
    assert paths[0][2] == paths[1][2] != paths[2][2]
    failed = listener.got[-1][1]
    assert failed["error"]["type"] == "SourceError"
    assert "absent.duckdb" in failed["error"]["message"]


def test_a_failure_before_the_route_is_told_too(place: Place, listener: Listener) -> None:
    place.repo.write_text("a file where a directory should be")
    ran = place.run("backup", place.database, "--hooks-webhook", listener.url)
    assert ran.code == 40
    assert [told["event"] for _, told in listener.got] == ["failure"]


def test_a_prune_that_cannot_open_the_repository_is_told_too(full: Place, listener: Listener) -> None:
    elsewhere = full.root / "elsewhere"
    assert full.run("prune", "--keep-last", "1", "--hooks-webhook", listener.url, repo=elsewhere).code != 0
    assert [(told["event"], told["route"]) for _, told in listener.got] == [("failure", "duckdb-cleanup")]


def test_restores_and_verifications_have_hooks_and_bad_results_are_failures(full: Place, listener: Listener) -> None:
    hooked = ("--hooks-webhook", listener.url)
    full.run("restore", full.target, *hooked).worked()
    full.run("verify", *hooked).worked()
    full.objects()[0].chmod(0o600)
    full.objects()[0].write_bytes(b"other bytes")
    assert full.run("verify", *hooked).code == 20
    told = [(one["route"], one["event"]) for _, one in listener.got]
    assert told == [
        ("duckdb-restore", "start"),
        ("duckdb-restore", "success"),
        ("duckdb-verification", "start"),
        ("duckdb-verification", "success"),
        ("duckdb-verification", "start"),
        ("duckdb-verification", "failure"),
    ]
    assert listener.got[-1][1]["bad"] == full.backup_ids()


def last(listener: Listener) -> tuple[str, str, dict[str, Any]]:
    told = listener.got[-1][1]
    return told["route"], told["event"], told


@pytest.mark.parametrize(("level", "route"), [("objects", "duckdb-verification"), ("restore", "duckdb-test-restore")])
def test_a_verification_that_reaches_nothing_is_a_failure(
    full: Place, listener: Listener, level: str, route: str
) -> None:
    hooked = ("--hooks-webhook", listener.url)
    assert full.run("verify", "--level", level, "--max-duration", "0s", *hooked).code == 3
    found, event, told = last(listener)
    assert (found, event) == (route, "failure")
    assert (told["good"], told["bad"], told["not_reached"]) == ([], [], full.backup_ids())


def test_a_restore_that_lacks_an_object_is_a_failure(place: Place, listener: Listener) -> None:
    with duckdb.connect(place.database) as con:
        con.execute("CREATE TABLE brief (i INT); CREATE VIEW broken AS FROM brief; DROP TABLE brief")
    place.run("backup", place.database).worked()
    assert place.run("restore", place.target, "--hooks-webhook", listener.url).code == 3
    assert last(listener)[:2] == ("duckdb-restore", "failure")
    assert "broken" in last(listener)[2]["deferred"][0]


def test_a_prune_that_the_store_refuses_is_a_failure(
    place: Place, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    Duckback(place.repo, state_dir=place.state, threads=1, clock=lambda: then).backup(place.database)
    place.run("backup", place.database, "--full").worked()
    monkeypatch.setattr(LocalStore, "delete", lambda _, keys: [DeleteFailure(key, "no") for key in keys])
    policy = ("--keep-within", "0s", "--keep-last", "1", "--grace", "0s")
    assert place.run("prune", *policy, "--hooks-webhook", listener.url).code == 3
    assert last(listener)[:2] == ("duckdb-cleanup", "failure")
    assert last(listener)[2]["refused"]


def test_a_command_gets_the_event_in_its_input_and_in_its_environment(place: Place) -> None:
    note = place.root / "note"
    code = f'import os,sys; open("{note}","a").write(os.environ["DUCKBACK_EVENT"]+sys.stdin.read()+chr(10))'
    place.run("backup", place.database, "--hooks-command", command(code), "--hooks-events", "start,success").worked()
    lines = note.read_text().splitlines()
    assert [line.partition("{")[0] for line in lines] == ["start", "success"]
    assert json.loads(lines[1].removeprefix("success"))["database"] == "small"


def test_only_the_events_and_routes_that_were_chosen_are_told(full: Place, listener: Listener) -> None:
    chosen = ("--hooks-webhook", listener.url, "--hooks-events", "failure", "--hooks-routes", "duckdb-verification")
    full.run("backup", full.database, *chosen).worked()
    full.run("verify", *chosen).worked()
    assert listener.got == []
    full.run("verify", "--hooks-routes", "duckdb-everything").failed(2, "there is no route 'duckdb-everything'")


@pytest.mark.parametrize("how", ["refused", "status", "slow", "command fails", "command hangs", "no command"])
def test_a_hook_that_fails_is_a_notice_and_the_backup_is_as_good(how: str, place: Place, listener: Listener) -> None:
    listener.status, listener.delay = (500, 0) if how == "status" else (200, 5 if how == "slow" else 0)
    hook = {
        "refused": ("--hooks-webhook", f"http://127.0.0.1:1/{SECRET}"),
        "status": ("--hooks-webhook", f"{listener.url}/{SECRET}"),
        "slow": ("--hooks-ping", f"{listener.url}/{SECRET}"),
        "command fails": ("--hooks-command", command(f'import sys; sys.exit("password={SECRET}")')),
        "command hangs": ("--hooks-command", command("import time; time.sleep(600)")),
        "no command": ("--hooks-command", "/no/such/command"),
    }[how]
    timeout = "1s" if how in {"slow", "command hangs"} else "60s"
    started = time.monotonic()
    ran = place.run("backup", place.database, *hook, "--hooks-timeout", timeout, "-v").worked()
    assert time.monotonic() - started < 120
    words = {
        "refused": "was not reached",
        "status": "answered 500",
        "slow": "was not reached",
        "command fails": "ended with code 1",
        "command hangs": "did not end within 1 s",
        "no command": "cannot be run",
    }[how]
    assert words in ran.err
    assert SECRET not in ran.err + ran.out
    assert len(place.backup_ids()) == 1


def test_a_hook_that_fails_does_not_hide_what_failed_the_backup(place: Place) -> None:
    ran = place.run("backup", place.root / "absent.duckdb", "--hooks-webhook", "http://127.0.0.1:1/")
    ran.failed(30, "no database file", "the webhook at 127.0.0.1 was not reached")


def test_a_command_s_children_are_gone_when_its_time_is_over(place: Place, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = tmp_path / "hook.sh"
    script.write_text(f"#!/bin/sh\n(sleep 3; touch {mark}) &\nwait\n")
    script.chmod(0o700)
    place.run("verify", "--hooks-command", script, "--hooks-timeout", "1s")
    place.run("backup", place.database, "--hooks-command", script, "--hooks-timeout", "1s").worked()
    time.sleep(2.5)
    assert not mark.exists()


def test_children_are_gone_though_the_command_itself_has_ended(place: Place, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = tmp_path / "hook.sh"
    script.write_text(f"#!/bin/sh\n(sleep 3; touch {mark}) &\n")
    script.chmod(0o700)
    with pytest.raises(HookFailed, match="did not end within 1 s"):
        run_command((str(script),), TOLD, 1)
    time.sleep(2.5)
    assert not mark.exists()


class Trickle(BaseRequestHandler):
    """A letter now and then: no timeout of a socket ends that."""

    def handle(self) -> None:
        with suppress(OSError):
            for _ in range(100):
                self.request.sendall(b"H")
                time.sleep(0.1)


def test_all_hooks_together_have_one_time() -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), Trickle) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = SecretStr(f"http://127.0.0.1:{server.server_address[1]}/")
        hooks = Hooks(HookOptions(command=("sleep", "30"), webhook=url, ping=url, timeout=timedelta(seconds=1)))
        started = time.monotonic()
        failures = hooks.tell(TOLD)
        took = time.monotonic() - started
        server.shutdown()
    assert len(failures) == 3
    assert took < 3, "the timeout and a second, not once for each"


def test_a_url_that_is_none_is_refused_without_being_repeated(place: Place) -> None:
    ran = place.run("backup", place.database, "--hooks-ping", f"ftp://host/{SECRET}")
    ran.failed(2, "hooks.ping", "must begin with http")
    assert SECRET not in ran.err
    shown = place.run("config show", "--hooks-ping", f"https://host/{SECRET}").worked()
    assert "hooks-ping" in shown.out
    assert SECRET not in shown.out


def test_a_hook_that_fails_is_a_notice_of_a_prune(full: Place) -> None:
    assert "webhook" in full.run("prune", "--hooks-webhook", "http://127.0.0.1:1/x").err
