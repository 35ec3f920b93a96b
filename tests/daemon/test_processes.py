"""Runs in processes of their own: what they answer, how they die, and who hears of it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from support.listener import Listener
from support.place import Place

from duckback.config.load import validated
from duckback.daemon.claim import claimed
from duckback.daemon.loop import Ended, Looked, Message
from duckback.daemon.processes import Processes, Protected
from duckback.errors import Locked
from duckback.model.schedule import Task

SECONDS = 120


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as found:
        yield found


class Runs:
    """Processes over a place, and their messages."""

    def __init__(self, place: Place, **options: object) -> None:
        self.inbox: SimpleQueue[Message] = SimpleQueue()
        given = {
            "repo": str(place.repo),
            "state_dir": place.state,
            "threads": 1,
            "name": "small",
            "niceness": 0,
            **options,
        }
        self.processes = Processes({"small": Protected(place.database, validated(given))}, self.inbox.put)

    def run(self, task: Task) -> Ended:
        self.processes.run("small", task)
        return self.ended()

    def ended(self) -> Ended:
        message = self.inbox.get(timeout=SECONDS)
        assert isinstance(message, Ended)
        return message

    def child(self) -> int:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if found := list(self.processes._children.values()):
                return found[0].pid
            time.sleep(0.01)
        raise AssertionError("no child was started")


def test_every_task_does_what_it_is_called_and_the_next_look_sees_it(place: Place) -> None:
    runs = Runs(place)
    full, incremental = runs.run(Task.FULL), runs.run(Task.INCREMENTAL)
    assert (full.outcome.ok, full.outcome.scope, full.outcome.rows) == (True, "full", 450)
    assert (incremental.outcome.ok, incremental.outcome.scope) == (True, "incremental")
    verified, restored = runs.run(Task.VERIFY), runs.run(Task.TEST_RESTORE)
    assert (verified.outcome.good, verified.outcome.bad) == (2, 0)
    assert (restored.outcome.ok, restored.outcome.route) == (True, "duckdb-test-restore")
    assert "restore-duckdb-from-parquet" in restored.outcome.steps
    runs.processes.look("small")
    looked = runs.inbox.get(timeout=SECONDS)
    assert isinstance(looked, Looked)
    assert [one.scope for one in looked.past.history.taken] == ["full", "incremental"]
    assert looked.past.history.unverified == 0
    assert looked.past.history.test_restored_at is not None
    assert looked.past.restored_in is not None
    assert place.staged() == []


def test_a_verification_that_finds_something_wrong_is_no_success(full: Place) -> None:
    full.objects()[0].chmod(0o600)
    full.objects()[0].write_bytes(b"other bytes")
    outcome = Runs(full).run(Task.VERIFY).outcome
    assert (outcome.ok, outcome.bad, outcome.error) == (False, 1, "IntegrityError")
    assert full.objects()[0].name in outcome.message


def test_a_run_that_is_killed_is_a_failure_of_which_the_hooks_hear(full: Place, listener: Listener) -> None:
    runs = Runs(full, hooks={"webhook": listener.url})
    runs.processes.run("small", Task.FULL)
    os.kill(runs.child(), signal.SIGKILL)
    ended = runs.ended()
    assert not ended.outcome.ok
    assert "ended by SIGKILL" in ended.outcome.message
    assert [(told["event"], told["route"]) for _, told in listener.got] == [("failure", "duckdb-full-export")]
    assert listener.got[0][1]["run_id"] == str(ended.run_id)
    assert len(full.backup_ids()) == 1


def test_a_failure_says_what_the_api_says_and_hooks_hear_of_it_once(full: Place, listener: Listener) -> None:
    runs = Runs(full, hooks={"webhook": listener.url})
    full.database.unlink()
    (full.root / "small.duckdb").mkdir()
    outcome = runs.run(Task.FULL).outcome
    assert (outcome.ok, outcome.error) == (False, "SourceError")
    assert [told["event"] for _, told in listener.got] == ["start", "failure"]


def test_a_look_that_fails_is_told_of(place: Place, listener: Listener) -> None:
    place.state.mkdir()
    (place.state / "ledger.sqlite").write_text("this is no ledger")
    runs = Runs(place, hooks={"webhook": listener.url})
    runs.processes.look("small")
    ended = runs.ended()
    assert (ended.task, ended.outcome.ok, ended.outcome.error) == (None, False, "LedgerError")
    assert [told["event"] for _, told in listener.got] == ["failure"]


def test_stop_ends_a_run_in_order_and_nothing_stays_behind(full: Place) -> None:
    runs = Runs(full)
    runs.processes.run("small", Task.FULL)
    child = runs.child()
    until = time.monotonic() + SECONDS
    while not full.staged() and time.monotonic() < until:
        time.sleep(0.01)
    runs.processes.stop()
    outcome = runs.ended().outcome
    assert (outcome.ok, outcome.error) == (False, "Interrupted")
    assert full.staged() == []
    assert full.events()[-1][0] == "failed"
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_run_that_takes_too_long_is_given_up_and_says_so(full: Place, listener: Listener) -> None:
    listener.delay = 60  # what hears of the start holds the run up until its time is over
    limits = {"longest_run": "5s", "stop_within": "30s"}
    runs = Runs(full, daemon=limits, hooks={"webhook": listener.url, "timeout": "60s"})
    runs.processes.run("small", Task.FULL)
    until = time.monotonic() + SECONDS
    while not listener.got and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
    listener.delay = 0
    outcome = runs.ended().outcome
    assert (outcome.ok, outcome.error) == (False, "TookTooLong")
    assert "daemon.longest_run" in outcome.hint
    assert [told["event"] for _, told in listener.got] == ["start", "failure"]
    assert listener.got[-1][1]["error"]["type"] == "TookTooLong"
    assert len(full.backup_ids()) == 1


def test_a_second_run_of_one_database_is_refused_while_the_first_is_at_it(full: Place) -> None:
    with claimed(full.state / "running" / "small"):
        outcome = Runs(full).run(Task.FULL).outcome
    assert (outcome.ok, outcome.error) == (False, "Locked")
    assert Runs(full).run(Task.FULL).outcome.ok


def test_hooks_hear_of_a_run_that_fails_before_it_begins(full: Place, listener: Listener) -> None:
    hooks = {"webhook": listener.url}
    with claimed(full.state / "running" / "small"):
        ended = Runs(full, hooks=hooks).run(Task.FULL)
    (full.repo / "repository.json").chmod(0o600)
    (full.repo / "repository.json").write_text("no repository")
    outcome = Runs(full, hooks=hooks).run(Task.VERIFY).outcome
    assert (outcome.ok, outcome.error) == (False, "IntegrityError")
    assert [(told["event"], told["route"], told["error"]["type"]) for _, told in listener.got] == [
        ("failure", "duckdb-full-export", "Locked"),
        ("failure", "duckdb-verification", "IntegrityError"),
    ]
    assert listener.got[0][1]["run_id"] == str(ended.run_id)


def test_a_claim_ends_with_its_block(tmp_path: Path) -> None:
    with claimed(tmp_path / "a"), pytest.raises(Locked), claimed(tmp_path / "a"):
        pass
    with claimed(tmp_path / "a"):
        pass


def test_a_run_stands_back_as_far_as_it_is_told(full: Place) -> None:
    note = full.root / "niceness"
    hook = ["sh", "-c", f"nice > {note}"]
    here = os.nice(0)
    assert Runs(full, niceness=7, hooks={"command": hook, "events": ["start"]}).run(Task.FULL).outcome.ok
    assert int(note.read_text()) == max(here, 7)
