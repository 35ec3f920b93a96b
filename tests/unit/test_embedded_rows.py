"""Rows that somebody changes behind the ledger's back."""

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.ledgers import REPOSITORY, fill, ledger_path, run_sql

from duckback.errors import LedgerError
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import repository_account_id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return ledger_path(tmp_path)


def tamper(path: Path, *statements: str) -> None:
    """Do as somebody does who may write the file and knows SQLite."""
    with closing(sqlite3.connect(path)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    run_sql(path, *(f"DROP TRIGGER {name}" for (name,) in triggers), *statements)


def forged_hash(identity: str, row: dict[str, int | str | bytes]) -> str:
    fields = {name: {"hex": value.hex()} if isinstance(value, bytes) else value for name, value in row.items()}
    del fields["hash"]
    text = json.dumps({**fields, "identity": identity}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def table_sql(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT sql FROM sqlite_master WHERE name = 'entry'").fetchone()[0])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET amount = x'00' WHERE seq = 2",
        "UPDATE entry SET seq = 9 WHERE seq = 5",
        "DELETE FROM entry WHERE seq = 5",
        "DELETE FROM entry",
        "REPLACE INTO entry SELECT * FROM entry WHERE seq = 5",
        (
            "INSERT OR REPLACE INTO entry SELECT 6, id, debit_account_id, credit_account_id, amount, user_data_128,"
            " user_data_64, user_data_32, ledger, code, kind, database, details, recorded_at, hash, hash"
            " FROM entry WHERE seq = 5"
        ),
        "UPDATE identity SET id = 'other'",
        "DELETE FROM identity",
        "INSERT INTO identity VALUES ('other')",
    ],
)
def test_triggers_refuse_every_change_of_what_is_there(path: Path, statement: str) -> None:
    fill(path)
    with pytest.raises(sqlite3.IntegrityError, match="the ledger is append-only"):
        run_sql(path, statement)
    with EmbeddedLedger(path) as ledger:
        assert ledger.verify_chain() == 5


SHIFTED = "UPDATE entry SET seq = -seq WHERE seq >= 3", "UPDATE entry SET seq = 1 - seq WHERE seq < 0"
COPIED = (
    "INSERT INTO entry SELECT {seq}, randomblob(16), debit_account_id, credit_account_id, amount, user_data_128,"
    " user_data_64, user_data_32, ledger, code, kind, database, details, recorded_at, prev_hash, hash"
    " FROM entry WHERE seq = 2"
)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (["UPDATE entry SET amount = zeroblob(16) WHERE seq = 3"], "entry 3 .* altered"),
        (["UPDATE entry SET details = '{}' WHERE seq >= 3"], "entry 3 .* altered"),
        (["UPDATE entry SET database = 'cold' WHERE seq = 5"], "entry 5 .* altered"),
        (["UPDATE entry SET recorded_at = recorded_at + 1 WHERE seq = 1"], "entry 1 .* altered"),
        (["UPDATE entry SET id = hex(id) WHERE seq = 3"], "entry 3 .* altered"),
        (["UPDATE entry SET kind = CAST(x'ff' AS TEXT) WHERE seq = 3"], "entry 3 .* altered"),
        (["UPDATE entry SET hash = 'x' WHERE seq = 3"], "entry 3 .* altered"),
        (["UPDATE entry SET prev_hash = 'x' WHERE seq = 3"], "entry 3 .* altered"),
        (["UPDATE identity SET id = 'other'"], "entry 1 .* altered"),
        (["DELETE FROM entry WHERE seq = 3"], "entry 3 .* removed"),
        (["DELETE FROM entry WHERE seq = 1"], "entry 1 .* removed"),
        (["DELETE FROM entry WHERE seq = 3", "UPDATE entry SET seq = seq - 1 WHERE seq = 4"], "entry 3 .* altered"),
        ([COPIED.format(seq=6)], "entry 6 .* inserted"),
        ([COPIED.format(seq=0)], "entry 0 .* inserted"),
        ([*SHIFTED, COPIED.format(seq=3)], "entry 3 .* inserted"),
    ],
)
def test_the_chain_names_what_was_altered_removed_or_inserted(path: Path, statements: list[str], message: str) -> None:
    fill(path)
    tamper(path, *statements)
    with EmbeddedLedger(path) as ledger, pytest.raises(LedgerError, match=message):
        ledger.verify_chain()


def test_a_row_that_was_rewritten_with_its_hash_is_found_by_the_next(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM entry WHERE seq = 3").fetchone())
        identity = connection.execute("SELECT id FROM identity").fetchone()[0]
    forged = forged_hash(identity, row | {"database": "cold"})
    tamper(path, f"UPDATE entry SET database = 'cold', hash = '{forged}' WHERE seq = 3")
    with EmbeddedLedger(path) as ledger, pytest.raises(LedgerError, match=r"entry 4 .* does not follow"):
        ledger.verify_chain()


def test_the_hash_is_that_of_an_independent_reader(path: Path) -> None:
    fill(path, 2)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        first, second = (dict(row) for row in connection.execute("SELECT * FROM entry ORDER BY seq"))
        identity = connection.execute("SELECT id FROM identity").fetchone()[0]
    assert first["hash"] == forged_hash(identity, first)
    assert second["hash"] == forged_hash(identity, second)
    assert (first["prev_hash"], second["prev_hash"]) == ("0" * 64, first["hash"])


@pytest.mark.parametrize(
    "change",
    [
        "amount = NULL",
        "kind = 'unheard of'",
        "details = 'x'",
        "user_data_64 = 'x'",
        "recorded_at = 9223372036854775807",
    ],
)
def test_an_entry_that_nobody_wrote_is_an_error_that_names_it(path: Path, change: str) -> None:
    fill(path)
    columns = re.sub("NOT NULL", "", table_sql(path))
    tamper(path, "PRAGMA writable_schema = 1", f"UPDATE sqlite_master SET sql = '{columns}' WHERE name = 'entry'")
    tamper(path, f"UPDATE entry SET {change} WHERE seq = 3")
    with EmbeddedLedger(path) as ledger, pytest.raises(LedgerError, match=r"entry 3 .* not readable"):
        list(ledger.entries())


def test_an_amount_that_is_not_one_is_not_added_up(path: Path) -> None:
    fill(path)
    tamper(path, "UPDATE entry SET amount = 'x' WHERE seq = 3")
    with EmbeddedLedger(path) as ledger, pytest.raises(LedgerError, match="not one"):
        ledger.balance(repository_account_id(REPOSITORY).int)


def test_a_ledger_without_identity_is_an_error(path: Path) -> None:
    fill(path)
    tamper(path, "DELETE FROM identity")
    with EmbeddedLedger(path) as ledger, pytest.raises(LedgerError, match="lost its identity"):
        ledger.verify_chain()
