"""Several processes, killed ones, and disks that refuse."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from support.ledgers import REPOSITORY, event, fill, ledger_path

from duckback.errors import LedgerError
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import repository_account_id

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import Event, EventKind

with EmbeddedLedger(Path(sys.argv[1])) as ledger:
    for _ in range(int(sys.argv[2])):
        event = Event(
            kind=EventKind.COMPLETED, backup_id=uuid4(), repository_id=UUID(sys.argv[3]), database="hot",
            scope="full", amount=1, started_at=datetime.now(UTC), retention_days=90,
        )
        ledger.record(event)
        print(event.backup_id, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return ledger_path(tmp_path)


def writer(path: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(count), str(REPOSITORY)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_four_processes_record_at_once(path: Path) -> None:
    writers = [writer(path, 50) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0].split() for process in writers]
    assert [process.returncode for process in writers] == [0] * 4
    assert [len(output) for output in outputs] == [50] * 4
    with EmbeddedLedger(path) as ledger:
        assert ledger.verify_chain() == 200
        assert {UUID(int=entry.transfer.id) for entry in ledger.entries()} == {UUID(i) for o in outputs for i in o}
        assert ledger.balance(repository_account_id(REPOSITORY).int) == (0, 200)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_what_was_recorded_outlives_a_killed_writer(path: Path) -> None:
    with writer(path, 1_000_000) as process:
        assert process.stdout is not None
        acknowledged = [UUID(process.stdout.readline().strip()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        # the pipe may hold more, and a last line cut short
        acknowledged += [UUID(line) for line in process.stdout.read().split() if len(line) == 36]
    with EmbeddedLedger(path) as ledger:
        assert ledger.verify_chain() >= len(acknowledged)
        assert all(ledger.entry(backup.int) for backup in acknowledged)
        ledger.record(event())
        ledger.verify_chain()


def test_a_ledger_is_the_same_after_it_is_opened_again(path: Path) -> None:
    recorded = event()
    with EmbeddedLedger(path) as ledger:
        entry, identity, head = ledger.record(recorded), ledger.identity(), ledger.head()
    with EmbeddedLedger(path) as ledger:
        assert (ledger.identity(), ledger.head()) == (identity, head)
        assert ledger.record(recorded) == entry


def test_two_ledgers_have_two_identities_and_two_heads(path: Path, tmp_path: Path) -> None:
    with EmbeddedLedger(path) as one, EmbeddedLedger(tmp_path / "two") as two:
        assert one.identity() != two.identity()


def test_a_ledger_that_may_not_be_written_is_an_error_that_keeps_what_is_there(path: Path) -> None:
    fill(path)
    with EmbeddedLedger(path) as ledger:
        ledger._connection.execute("PRAGMA query_only = 1")  # file modes do not bind root, which tests may run as
        with pytest.raises(LedgerError, match="readonly") as caught:
            ledger.record(event())
        assert "permissions" in caught.value.hint
        assert ledger.verify_chain() == 5


def test_a_full_disk_is_an_error_and_leaves_a_whole_chain(path: Path) -> None:
    fill(path)
    with EmbeddedLedger(path) as ledger:
        pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
        ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="full") as caught:
            ledger.record(replace(event(), details={"error_message": "x" * 100_000}))
        assert "room" in caught.value.hint
        ledger._connection.execute("PRAGMA max_page_count = 100000")
        ledger.record(event())
        assert ledger.verify_chain() == 6


def test_a_writer_that_does_not_end_is_waited_for_and_then_named(path: Path) -> None:
    with EmbeddedLedger(path) as ledger, closing(sqlite3.connect(path, isolation_level=None)) as other:
        ledger._connection.execute("PRAGMA busy_timeout = 50")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked") as caught:
            ledger.record(event())
        assert "Another process" in caught.value.hint
        assert list(ledger.entries()) == []
        other.execute("ROLLBACK")
        ledger.record(event())


def test_a_copied_ledger_still_verifies(path: Path, tmp_path: Path) -> None:
    fill(path)
    shutil.copy(path, tmp_path / "copy")
    with EmbeddedLedger(tmp_path / "copy") as ledger:
        assert ledger.verify_chain() == 5


def test_the_number_of_the_ledger_is_a_setting_and_not_a_part_of_what_happened(path: Path) -> None:
    recorded = event()
    with EmbeddedLedger(path, 7) as ledger:
        entry = ledger.record(recorded)
        assert entry.transfer.ledger == 7
    with EmbeddedLedger(path, 8) as ledger:
        assert ledger.record(recorded) == entry
        assert ledger.record(event()).transfer.ledger == 8
