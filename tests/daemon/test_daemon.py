"""The daemon as a process: started, asked, killed, stopped."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from support.place import EXECUTABLE, Place, small_database

SECONDS = 120


class Running:
    """A daemon, and the lines of its log."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def lines(self) -> list[dict[str, Any]]:
        text = self._log.read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    def wait_for(self, found: Callable[[dict[str, Any]], bool], count: int = 1) -> list[dict[str, Any]]:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            lines = [line for line in self.lines if found(line)]
            if len(lines) >= count:
                return lines
            assert self.process.poll() is None, self._log.read_text()
            time.sleep(0.05)
        raise AssertionError(self._log.read_text())

    def finished(self, task: str, count: int = 1) -> list[dict[str, Any]]:
        return self.wait_for(lambda line: line["event"] == "run finished" and line["task"] == task, count)

    def get(self, path: str) -> tuple[int, str]:
        port = re.sub(r".*:", "", self.wait_for(lambda line: line["event"] == "daemon started")[0]["listens"])
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(SECONDS)


@contextmanager
def daemon(root: Path, *arguments: str) -> Iterator[Running]:
    log = root / "log"
    with log.open("ab") as stderr:
        process = _start(root, arguments, stderr)
    try:
        yield Running(process, log)
    finally:
        process.kill()
        process.wait()


def _start(root: Path, arguments: tuple[str, ...], stderr: IO[bytes]) -> "subprocess.Popen[bytes]":
    line = [
        str(EXECUTABLE),
        "daemon",
        "--log-format",
        "json",
        "--daemon-listen",
        "127.0.0.1:0",
        "--niceness",
        "0",
        *arguments,
    ]
    return subprocess.Popen(line, cwd=root, stderr=stderr)


def configure(place: Place, schedule: str = "", *names: str) -> None:
    tables = "".join(f'[[database]]\npath = "{small_database(place.root / f"{name}.duckdb")}"\n' for name in names)
    top = f'repo = "{place.repo}"\nstate_dir = "{place.state}"\nthreads = 1\n[daemon]\nspread = "0s"\n'
    (place.root / "duckback.toml").write_text(f"{top}[schedule]\n{schedule}\n{tables}")


def test_two_databases_are_backed_up_verified_and_test_restored_and_the_daemon_tells(place: Place) -> None:
    configure(place, "", "a", "b")
    with daemon(place.root) as running:
        assert {line["database"] for line in running.finished("full", 2)} == {"a", "b"}
        running.finished("verify", 2)
        done = running.finished("test_restore", 2)
        assert all(line["seconds"] > 0 for line in done)
        assert running.get("/healthz") == (200, '{"status": "ok", "problems": []}')
        assert running.get("/readyz")[0] == 200
        assert running.get("/nothing")[0] == 404
        _until(lambda: 'duckback_test_restore_duration_seconds{database="b"}' in running.get("/metrics")[1])
        text = running.get("/metrics")[1]
        for name in ("a", "b"):
            assert f'duckback_runs_total{{database="{name}",result="success",route="duckdb-full-export"}} 1.0' in text
            assert f'duckback_backup_rows{{database="{name}"}} 450.0' in text
            assert f'duckback_unverified_backups{{database="{name}"}} 0.0' in text
        # One id on the daemon's lines of a run and on the run's own.
        ids = {line["run_id"] for line in running.lines if line["event"] == "run started"}
        assert ids == {line["run_id"] for line in running.lines if line["event"] == "run finished"}
        assert running.stop() == 0
    assert place.staged() == []


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_daemon_that_is_killed_takes_its_run_with_it_and_the_next_one_catches_up_once(place: Place) -> None:
    configure(place, "", "a")
    with daemon(place.root) as running:
        running.wait_for(lambda line: line["event"] == "run started")
        _until(lambda: len(psutil.Process(running.process.pid).children()) > 0)
        children = psutil.Process(running.process.pid).children(recursive=True)
        running.process.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=60)
        assert alive == []
    (place.root / "log").unlink()
    with daemon(place.root) as running:
        running.finished("test_restore")
        assert len(running.finished("full")) == 1
        assert running.stop() == 0
    (backup,) = place.backup_ids()
    events = place.run("ledger list", "--event", "completed", "--json").json["events"]
    assert [one["backup_id"] for one in events] == [backup]
    # A restart, and nothing is due.
    (place.root / "log").unlink()
    with daemon(place.root) as running:
        running.get("/healthz")
        time.sleep(1)
        assert [line["event"] for line in running.lines] == ["daemon started"]
        assert running.stop() == 0


def test_sigterm_in_the_middle_of_a_run_ends_it_and_leaves_nothing(place: Place) -> None:
    configure(place, "", "a")
    with daemon(place.root) as running:
        _until(lambda: bool(place.staged()))
        assert running.stop() == 0
        assert [line["event"] for line in running.lines][-2:] == ["run stopped", "daemon stopped"]
    assert place.staged() == []
    assert place.manifests() == []


def test_a_second_daemon_on_one_state_directory_is_refused(place: Place) -> None:
    configure(place, "", "a")
    with daemon(place.root) as running:
        running.get("/healthz")
        second = subprocess.run(
            [str(EXECUTABLE), "daemon", "--daemon-listen", "off"],
            cwd=place.root,
            check=False,
            capture_output=True,
            text=True,
        )
        assert second.returncode == 11
        assert "another process holds" in second.stderr
        running.stop()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[database]]\npath = "a"\n[database.schedule]\nincrementl = "6h"', "Did you mean 'schedule.incremental'?"),
        ('[[database]]\npath = "a"\n[database.schedule]\nfull = "25 * * *"', "has not the five fields"),
        ('[[database]]\npath = "a"\n[database.schedule]\nfull = "61 * * * *"', "is no cron expression"),
        ('[[database]]\npath = "a"\n[database.schedule]\nfull = "never"', "the first backup is a full one"),
        ('[[database]]\npath = "a"\n[database.schedule]\ntime_zone = "Europe/Berln"', "did you mean 'Europe/Berlin'?"),
        ('[[database]]\npath = "a"\n[database.daemon]\nat_once = 2', "There is one daemon"),
        ('[daemon]\nat_onse = 2\n[[database]]\npath = "a"', "Did you mean 'daemon.at_once'?"),
        ('[daemon]\nlisten = "localhost"\n[[database]]\npath = "a"', 'is not "off" or an IP address with a port'),
        ('[hooks]\nevents = ["begin"]\n[[database]]\npath = "a"', "hooks.events"),
        ('[[database]]\nname = "a"', "a [[database]] has no path"),
        ('[[database]]\npath = "a.duckdb"\n[[database]]\npath = "x/a.duckdb"', "two databases are called 'a'"),
        ("threads = 2", "names no database"),
        (
            'thread = 2\n[[database]]\npath = "a"\nnam = "x"\n[database.schedule]\nfulll = "1h"',
            "Did you mean 'threads' for 'thread' and 'name' for 'nam' and 'schedule.full' for 'schedule.fulll'?",
        ),
    ],
)
def test_an_invalid_configuration_is_refused_at_the_start(place: Place, text: str, words: str) -> None:
    (place.root / "duckback.toml").write_text(text)
    place.run("daemon", "--config", place.root / "duckback.toml").failed(2, words)


def test_no_configuration_and_no_repository_are_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.root)
    place.run("daemon").failed(2, "there is no configuration file", "duckback init")
    place.run("daemon", "--json").failed(2, "prints no document")
    (place.root / "duckback.toml").write_text('[[database]]\npath = "a"')
    done = subprocess.run(
        [str(EXECUTABLE), "daemon"], cwd=place.root, check=False, capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 2
    assert "no repository is given for 'a'" in done.stderr


def test_an_address_that_is_taken_is_an_error_in_words(place: Place) -> None:
    configure(place, "", "a")
    with daemon(place.root) as running:
        port = running.wait_for(lambda line: line["event"] == "daemon started")[0]["listens"]
        other = subprocess.run(
            [str(EXECUTABLE), "daemon", "--state-dir", str(place.root / "other"), "--daemon-listen", port],
            cwd=place.root,
            check=False,
            capture_output=True,
            text=True,
        )
        assert other.returncode == 1
        assert "cannot listen on" in other.stderr
        running.stop()
