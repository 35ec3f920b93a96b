"""The file of the embedded ledger: how it is made, opened and recognised, and what its errors mean."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from duckback.errors import LedgerError
from duckback.ledger.base import GENESIS

APPLICATION_ID: Final = 0x4455434B  # "DUCK"
SCHEMA_VERSION: Final = 2
_WITHOUT_DELIVERIES: Final = 1
BUSY_SECONDS: Final = 30.0

_SCHEMA: Final = f"""
CREATE TABLE identity (id TEXT NOT NULL);
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    debit_account_id BLOB NOT NULL,
    credit_account_id BLOB NOT NULL CHECK (credit_account_id <> debit_account_id),
    amount BLOB NOT NULL,
    user_data_128 BLOB NOT NULL,
    user_data_64 INTEGER NOT NULL,
    user_data_32 INTEGER NOT NULL,
    ledger INTEGER NOT NULL,
    code INTEGER NOT NULL,
    kind TEXT NOT NULL,
    database TEXT NOT NULL,
    details TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER identity_once BEFORE INSERT ON identity WHEN EXISTS (SELECT 1 FROM identity)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER identity_update BEFORE UPDATE ON identity
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER identity_delete BEFORE DELETE ON identity
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entry_update BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- INSERT OR REPLACE removes rows without a delete trigger, so an insert may only add at the end
CREATE TRIGGER entry_insert BEFORE INSERT ON entry
    WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)
    OR NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entry)
    OR NEW.prev_hash IS NOT coalesce((SELECT hash FROM entry ORDER BY seq DESC LIMIT 1), '{GENESIS}')
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
PRAGMA application_id = {APPLICATION_ID};
"""

# What became of entries elsewhere: no row yet, delivered (an id there), or parked (a refusal). It may be lost: an
# entry that is delivered again is the same transfer.
_DELIVERIES: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS delivery (
    receiver TEXT NOT NULL,
    seq INTEGER NOT NULL,
    transfer_id BLOB,
    refusal TEXT,
    PRIMARY KEY (receiver, seq),
    CHECK ((transfer_id IS NULL) <> (refusal IS NULL))
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

_ASIDE: Final = "Move the file and its -wal and -shm aside to begin a new ledger; no backup is lost with it."
_HINTS: Final = {
    sqlite3.SQLITE_BUSY: f"Another process has been writing for {BUSY_SECONDS:.0f} s; try again.",
    sqlite3.SQLITE_READONLY: "Check the owner and permissions of the file, its directory and the file system.",
    sqlite3.SQLITE_CANTOPEN: "Check that the path is a file, and the permissions of its directory.",
    sqlite3.SQLITE_FULL: "Make room on the disk.",
    sqlite3.SQLITE_CORRUPT: _ASIDE,
    sqlite3.SQLITE_NOTADB: _ASIDE,
}


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Raise what SQLite and the operating system raise as LedgerError, with a hint of what to do."""
    try:
        yield
    except sqlite3.Error as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of the code says more than we need
        hint = _HINTS.get(primary, "Check the file, its disk and its permissions.")
        raise LedgerError(f"the ledger {path} failed: {error}", hint=hint) from error
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} cannot be used: {error.strerror}",
            hint="Check that its directory exists or can be made, and may be written.",
        ) from error


def open_ledger(path: Path) -> sqlite3.Connection:
    """A connection to the ledger at `path`, which is made, with its directories, where there is none.

    Raises:
        LedgerError: What is there is not a ledger of this version.
        sqlite3.Error: SQLite cannot read it.
        OSError: It cannot be made.
    """
    orphan = wal_of(path).exists()  # asked first: the log of a ledger made meanwhile comes after its file
    if not path.exists():
        if orphan:
            raise LedgerError(f"the ledger {path} is gone, but its log {wal_of(path).name} is there", hint=_ASIDE)
        _create(path)
    connection = _connect(path)
    try:
        _recognise(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def wal_of(path: Path) -> Path:
    """The write-ahead log beside a SQLite file."""
    return path.with_name(f"{path.name}-wal")


def _create(path: Path) -> None:
    """Make the ledger beside its place and link it there, so that nobody ever sees or inherits half of one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{uuid4()}")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(_connect(fresh)) as connection:
            connection.executescript(_SCHEMA + _DELIVERIES)
            connection.execute("INSERT INTO identity VALUES (?)", (str(uuid4()),))
            connection.execute("PRAGMA journal_mode = WAL")
        with suppress(FileExistsError):  # another process was first, and its ledger is the one
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: SQLite must not make an empty file where ours went missing
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.text_factory = _text
    return connection


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")  # a tampered row has to be readable to be named


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == APPLICATION_ID and version == _WITHOUT_DELIVERIES:
        connection.executescript(_DELIVERIES)
        version = SCHEMA_VERSION
    if application != APPLICATION_ID:
        raise LedgerError(f"{path} is not a ledger", hint="Give another path; the file was not touched.")
    if version != SCHEMA_VERSION:
        raise LedgerError(f"the ledger {path} has the unknown version {version}", hint="Use a newer Duckback.")
