"""kill -9 at every boundary between processors: the repository stays valid, the next run mends."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from support.place import Place

from duckback.routes import FULL_EXPORT, INCREMENTAL_EXPORT, RESTORE, TEST_RESTORE, VERIFICATION

# Runs a verb and kills itself with SIGKILL when the processor of that name has done its work.
_DRIVER = """
import os, signal, sys
from duckback.processors.record_verification_event import RecordVerificationEvent
from duckback.routes import engine
from duckback.cli.app import run

name, *arguments = sys.argv[1:]
timed = engine._timed
def killing(processor, exchange):
    result = timed(processor, exchange)
    if processor.name == name:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
engine._timed = killing
process = RecordVerificationEvent.process
def dying(self, exchange):
    result = process(self, exchange)
    if self.name == name:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
RecordVerificationEvent.process = dying
sys.exit(run(arguments))
"""


def killed_after(place: Place, processor: str, verb: str, *arguments: object) -> None:
    line = place.command(verb, *arguments)[1:]
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, processor, *line], capture_output=True, text=True, check=False, cwd=place.root
    )
    assert done.returncode == -9, done


def assert_repository_is_whole(place: Place) -> None:
    place.run("verify").worked()


def assert_next_backup_mends(place: Place) -> None:
    before = set(place.backup_ids())
    place.change()
    place.run("backup", place.database).worked()
    after = place.backup_ids()
    assert len(set(after) - before) == 1
    assert place.staged() == []
    assert_repository_is_whole(place)
    events = Counter((kind, str(backup_id)) for kind, backup_id in place.events())
    assert all(events[kind, one] == 1 for one in after for kind in ("started", "completed")), events
    assert not any(kind == "completed" and one not in after for kind, one in events), events


@pytest.mark.parametrize(
    ("scope", "processor"),
    [
        *(("--full", name) for name in (*FULL_EXPORT.on_start, *FULL_EXPORT.processors)),
        *(("--incremental", name) for name in INCREMENTAL_EXPORT.processors),
    ],
)
def test_backup_killed_after_a_processor_leaves_a_valid_repository(full: Place, scope: str, processor: str) -> None:
    full.change()
    killed_after(full, processor, "backup", full.database, scope)
    names = (FULL_EXPORT if scope == "--full" else INCREMENTAL_EXPORT).processors
    done = names.index(processor) if processor in names else -1
    assert len(full.backup_ids()) == (2 if done >= names.index("upload-duckdb-backup-to-s3") else 1)
    assert len(full.staged()) == 1
    assert_repository_is_whole(full)
    assert_next_backup_mends(full)


@pytest.mark.parametrize(
    ("processor", "force"),
    [
        *((name, False) for name in (*RESTORE.on_start, *RESTORE.processors)),
        *((name, True) for name in RESTORE.processors[2:]),
    ],
)
def test_restore_killed_after_a_processor_leaves_the_old_or_the_new_database(
    *, full: Place, processor: str, force: bool
) -> None:
    if force:
        full.target.write_bytes(b"old")
    options = ["--force"] if force else []
    killed_after(full, processor, "restore", full.target, *options)
    installed = processor in {"verify-restored-database", "record-recovery-event"}
    if installed:
        assert full.restored_is_equal()
    else:
        assert full.target.exists() == force
        assert not force or full.target.read_bytes() == b"old"
    full.run("restore", full.target, *(["--force"] if installed else options)).worked()
    assert full.restored_is_equal()
    assert [name for name in full.beside_target() if "restoring" in name or "moving" in name] == []
    assert full.staged() == []


@pytest.mark.parametrize(
    ("level", "processor"),
    [
        *(("data", name) for name in (*VERIFICATION.on_start, *VERIFICATION.processors)),
        *(("restore", name) for name in (*TEST_RESTORE.processors[1:], "record-verification-event")),
    ],
)
def test_verification_killed_after_a_processor_is_as_good_as_one_that_never_ran(
    full: Place, level: str, processor: str
) -> None:
    killed_after(full, processor, "verify", "--level", level)
    recorded = processor == "record-verification-event"
    assert full.events().count(("verification", UUID(full.backup_ids()[0]))) == recorded
    full.run("verify", "--level", level).worked()
    assert full.staged() == []
    assert full.run("list", "--json").json["backups"][0]["status"] == "verified"
    assert full.beside_target() == []


# Kills itself with SIGKILL after so many writes and deletes in the store, whatever they are.
_PRUNE_DRIVER = """
import os, signal, sys
from duckback.store.local import LocalStore
from duckback.cli.app import run

left = int(sys.argv[1])
def counted(method):
    def call(*arguments, **options):
        global left
        result = method(*arguments, **options)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call
for name in ("create", "delete"):
    setattr(LocalStore, name, counted(getattr(LocalStore, name)))
sys.exit(run(sys.argv[2:]))
"""


def test_prune_killed_after_any_step_is_finished_by_the_next(history: Place) -> None:
    keep = ("--keep-within", "0s", "--keep-last", "1", "--grace", "0s")
    history.run("backup", history.database, "--full").worked()
    newest = history.backup_ids()[-1]
    steps = 0
    while True:
        steps += 1
        line = history.command("prune", *keep)[1:]
        done = subprocess.run(
            [sys.executable, "-c", _PRUNE_DRIVER, str(steps), *line], capture_output=True, check=False, cwd=history.root
        )
        history.run("verify").worked()
        assert newest in history.backup_ids()
        if done.returncode == 0:
            break
        assert done.returncode == -9, done
    assert steps > 2
    history.run("prune", *keep).worked()
    assert history.backup_ids() == [newest]
    assert {path.name.partition("-main")[0] for path in history.objects()} == {newest}
    pruned = Counter(str(backup_id) for kind, backup_id in history.events() if kind == "pruned")
    assert sorted(pruned.values()) == [1, 1, 1]
    history.run("restore", history.target).worked()
    assert history.restored_is_equal()


def test_worker_of_a_killed_run_does_not_outlive_it(full: Place) -> None:
    child = subprocess.Popen(
        full.command("backup", full.database), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=full.root
    )
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    workers: list[str] = []
    until = time.monotonic() + 30
    while not workers and child.poll() is None and time.monotonic() < until:
        workers = children.read_text().split()
    child.kill()
    child.wait()
    assert workers
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.01)
