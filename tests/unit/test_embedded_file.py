"""The file: how it is made, and what is refused in its place."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.ledgers import event, fill, ledger_path, run_sql

from duckback.errors import LedgerError
from duckback.ledger.embedded import EmbeddedLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return ledger_path(tmp_path)


def not_sqlite(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)


def empty(path: Path) -> None:
    path.touch()


def foreign(path: Path) -> None:
    run_sql(path, "CREATE TABLE other (a)")


def newer(path: Path) -> None:
    fill(path)
    run_sql(path, "PRAGMA user_version = 3")


SETTINGS = ["journal_mode", "synchronous", "busy_timeout"]


def test_the_file_is_for_its_owner_only_and_durable(path: Path) -> None:
    before = os.umask(0)
    try:
        with EmbeddedLedger(path) as ledger:
            ledger.record(event())
            modes = {found.name: found.stat().st_mode & 0o777 for found in path.parent.iterdir()}
            settings = [ledger._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS]
    finally:
        os.umask(before)
    assert modes == dict.fromkeys([path.name, f"{path.name}-wal", f"{path.name}-shm"], 0o600)
    assert settings == ["wal", 2, 30000]
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (not_sqlite, "not a database"),
        (empty, "is not a ledger"),
        (foreign, "is not a ledger"),
        (newer, "unknown version 3"),
        (Path.mkdir, "unable to open|disk I/O"),
    ],
)
def test_what_is_not_a_ledger_is_refused_and_left_as_it_is(
    path: Path, make: Callable[[Path], None], message: str
) -> None:
    path.parent.mkdir(parents=True)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LedgerError, match=message) as caught:
        EmbeddedLedger(path)
    assert caught.value.hint
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_page_of_rubbish_is_an_error_and_not_an_answer(path: Path) -> None:
    fill(path, 200)
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xff" * len(content[4096 * 3 :])
    path.write_bytes(content)
    with EmbeddedLedger(path) as ledger, pytest.raises(LedgerError, match="malformed") as caught:
        ledger.verify_chain()
    assert "aside" in caught.value.hint


def test_a_log_without_its_ledger_is_not_replayed_into_a_new_one(path: Path) -> None:
    fill(path)
    path.rename(path.with_name("gone"))
    path.with_name(f"{path.name}-wal").write_bytes(b"frames")
    with pytest.raises(LedgerError, match=r"its log .*-wal is there"):
        EmbeddedLedger(path)
    assert not path.exists()


def test_a_place_where_no_file_can_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot be used") as caught:
        EmbeddedLedger(tmp_path / "file" / "ledger.sqlite")
    assert caught.value.hint


def test_a_link_to_nowhere_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    link = tmp_path / "ledger.sqlite"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(LedgerError, match="unable to open"):
        EmbeddedLedger(link)
    assert list(tmp_path.iterdir()) == [link]


@contextmanager
def _as_nobody() -> Iterator[None]:
    """File modes do not bind root: be somebody whom they bind."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(me)


def test_a_read_only_file_can_be_read_and_not_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        Path(folder).chmod(0o777)
        fill(path)
        path.chmod(0o444)
        with _as_nobody(), EmbeddedLedger(path) as ledger:
            assert list(ledger.entries())
            with pytest.raises(LedgerError, match="readonly"):
                ledger.record(event())


def test_a_ledger_from_before_deliveries_gets_their_table_and_keeps_its_entries(path: Path) -> None:
    fill(path)
    run_sql(path, "DROP TABLE delivery", "PRAGMA user_version = 1")
    with EmbeddedLedger(path) as ledger:
        assert ledger.verify_chain() == 5
        assert ledger.deliveries("there").backlog().waiting == 5
    with EmbeddedLedger(path) as ledger:
        assert ledger.deliveries("there").backlog().waiting == 5
