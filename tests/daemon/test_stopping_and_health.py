"""How the loop ends, and what /healthz and /readyz answer when something is wrong."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from duckback.audit.past import Past
from duckback.config.load import validated
from duckback.config.service import Schedule
from duckback.daemon.agenda import Agenda
from duckback.daemon.loop import Ended, Looked, Loop, Message, Stop
from duckback.daemon.outcome import Outcome
from duckback.daemon.processes import Protected, can_write
from duckback.daemon.server import Server
from duckback.daemon.service import Daemon
from duckback.errors import DuckbackError, UsageError
from duckback.model.schedule import Task, plan
from duckback.model.timetable import Every

NOW = datetime(2028, 7, 1, tzinfo=UTC)


class Scripted:
    """A runner and an observer that note what they are told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.ended_with: list[Outcome] = []

    def look(self, name: str) -> None:
        self.calls.append(f"look {name}")

    def run(self, name: str, task: Task) -> UUID:
        self.calls.append(f"run {name} {task}")
        return uuid4()

    def stop(self) -> None:
        self.calls.append("stop")

    def kill(self) -> None:
        self.calls.append("kill")

    def looked(self, name: str, past: Past) -> None: ...

    def started(self, name: str, task: Task, reason: str, run_id: UUID) -> None: ...

    def ended(self, ended: Ended) -> None:
        self.ended_with.append(ended.outcome)

    def beat(self) -> None: ...


def live(*messages: Message | None) -> Scripted:
    """The calls of a loop that gets these messages, one a wait."""
    scripted, left = Scripted(), list(messages)
    agenda = Agenda({"hot": plan("hot", {Task.FULL: Every(timedelta(days=1))}, timedelta(0))}, 1)
    loop = Loop(
        agenda,
        scripted,
        wait=lambda _: left.pop(0) if left else None,
        clock=lambda: NOW,
        observer=scripted,
        stop_within=timedelta(seconds=5),
    )
    loop.run()
    return scripted


def test_a_stop_while_nothing_runs_ends_at_once() -> None:
    done = Ended("hot", None, Outcome(ok=False))
    assert live(done, Stop()).calls == ["look hot", "stop"]


def test_a_run_has_its_time_to_end_and_is_heard() -> None:
    ended = Ended("hot", Task.FULL, Outcome(ok=False, error="Interrupted"))
    scripted = live(Looked("hot", Past()), Stop(), None, None, ended)
    assert scripted.calls == ["look hot", "run hot full", "stop"]
    assert [one.error for one in scripted.ended_with] == ["Interrupted"]


def test_a_run_that_does_not_end_is_killed() -> None:
    assert live(Looked("hot", Past()), Stop()).calls == ["look hot", "run hot full", "stop", "kill"]


def test_a_second_stop_does_not_wait() -> None:
    assert live(Looked("hot", Past()), Stop(), Stop(), None).calls[-1] == "kill"


def test_what_is_looked_at_while_stopping_is_not_begun() -> None:
    assert live(Stop(), Looked("hot", Past())).calls == ["look hot", "stop"]


def daemon(tmp_path: Path, **options: object) -> Daemon:
    given = {"repo": str(tmp_path / "repo"), "state_dir": tmp_path / "state", "name": "hot", **options}
    return Daemon([Protected(tmp_path / "hot.duckdb", validated(given))])


def test_a_silent_loop_is_unhealthy_and_a_stopping_one_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = daemon(tmp_path)
    assert (one.healthy(), one.ready()) == ([], [])
    one._is_stopping = True
    assert (one.healthy(), one.ready()) == ([], ["it is stopping"])
    one._beat_at -= 301
    assert "silent for 301 s" in one.healthy()[0]
    monkeypatch.setattr("duckback.daemon.service.can_write", lambda _: False)
    assert "cannot write to" in one.ready()[-1]
    one.beat()
    assert one.healthy() == []


def fifo_repository(root: Path) -> Path:
    """One that does not answer, as on a mount whose server is dead."""
    (root / "dead").mkdir()
    os.mkfifo(root / "dead" / "repository.json")
    return root / "dead"


def test_a_repository_that_does_not_answer_keeps_no_place_and_is_named(tmp_path: Path) -> None:
    dead = {"repo": str(fifo_repository(tmp_path)), "state_dir": tmp_path / "state", "name": "dead"}
    one = daemon(tmp_path, **dead, daemon={"longest_look": "1s"})
    one._processes.look("dead")
    first = one._inbox.get(timeout=30)
    assert isinstance(first, Ended)
    assert (first.outcome.error, first.task) == ("TookTooLong", None)
    assert "of dead has not answered" in one.ready()[0]
    one._processes.look("dead")
    again = one._inbox.get(timeout=30)
    assert isinstance(again, Ended)
    assert "since the last look was given up" in again.outcome.message
    (tmp_path / "dead" / "repository.json").write_text("no repository")  # whoever waits for it reads on
    until = time.monotonic() + 30
    while one.ready() and time.monotonic() < until:
        time.sleep(0.01)
    assert one.ready() == []
    assert one._inbox.empty(), "it was answered once"


def test_a_scrape_asks_no_timetable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = daemon(tmp_path, schedule={"full": "30 2 * * *", "incremental": "never"})
    monkeypatch.delattr(Schedule, "rpo_at")
    rpo = one._metrics.registry.get_sample_value("duckback_rpo_seconds", {"database": "hot"})
    assert rpo == 25 * 3600


def test_a_directory_that_is_not_there_yet_can_be_written_to_if_it_can_be_made(tmp_path: Path) -> None:
    assert can_write(tmp_path / "a" / "b")


def test_two_databases_of_one_name_are_refused(tmp_path: Path) -> None:
    one = Protected(tmp_path / "a", validated({"repo": "/r", "name": "hot"}))
    with pytest.raises(UsageError, match="the same name"):
        Daemon([one, Protected(tmp_path / "b", validated({"repo": "/s", "name": "hot"}))])


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_problems_are_503_with_their_words(host: str) -> None:
    wrong: list[str] = []
    healthy: Callable[[], list[str]] = lambda: wrong  # noqa: E731
    try:
        server = Server((host, 0), CollectorRegistry(), healthy, list)
    except DuckbackError:
        pytest.skip(f"this machine has no {host}")
    with server:
        url = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
        assert answer(f"{url}/healthz")[0] == 200
        wrong.append("the loop has been silent")
        code, text = answer(f"{url}/healthz?verbose")
        assert (code, json.loads(text)["problems"]) == (503, ["the loop has been silent"])
        assert answer(f"{url}/readyz")[0] == 200
        assert answer(f"{url}/metrics") == (200, "")
        assert answer(f"{url}/")[0] == 404
