"""The embedded ledger: one SQLite file, append-only by triggers, each row chained by hash to the one before.

The chain shows what was altered, removed or inserted, but for the newest entries: whoever can write the file can cut
its tail, or write it anew from some entry on. Only `head`, kept elsewhere, shows that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from duckback.errors import LedgerError
from duckback.ledger.base import GENESIS, Balance, Entry
from duckback.ledger.codec import LEDGER
from duckback.ledger.deliveries import Deliveries
from duckback.ledger.embedded_file import ledger_errors, open_ledger
from duckback.ledger.embedded_rows import (
    COLUMNS,
    COMPARED,
    Row,
    Value,
    check_link,
    content_of,
    entry_of,
    from_wide,
    microseconds,
    row_hash,
    wide,
)
from duckback.model.events import Event, EventKind, repository_account_id

_PAGE: Final = 500
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM entry"
_INSERT: Final = f"INSERT INTO entry ({', '.join(COLUMNS)}) VALUES ({', '.join('?' for _ in COLUMNS)})"
_NEWEST: Final = "ORDER BY seq DESC LIMIT 1"
_OF_ACCOUNT: Final = "? IN (debit_account_id, credit_account_id)"


class EmbeddedLedger:
    """A `Ledger` in one SQLite file (WAL, synchronous=FULL), made with mode 0600 where there is none.

    Args:
        path: The file; its missing directories are made, with mode 0700.
        number: Of the ledger, which new transfers carry; 1 to 2**32 - 1.

    Raises:
        LedgerError: The file cannot be made, read or recognised.
    """

    def __init__(self, path: Path, number: int = LEDGER) -> None:
        self._path = path
        self._number = number
        with ledger_errors(path):
            self._connection = open_ledger(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """See `Transfers.close`."""
        with ledger_errors(self._path):
            self._connection.close()

    def record(self, event: Event) -> Entry:
        """See `Ledger.record`."""
        content = content_of(event, self._number)
        with ledger_errors(self._path), self._writing():
            found = self._row("WHERE id = ?", content["id"])
            if found is None:
                return entry_of(self._append(content))
        _require_same(found, content)
        return entry_of(found)

    def entries(
        self,
        *,
        repository_id: UUID | None = None,
        database: str | None = None,
        kind: EventKind | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        filters = _between(since, until)
        if repository_id is not None:
            filters[_OF_ACCOUNT] = wide(repository_account_id(repository_id).int)
        if database is not None:
            filters["database = ?"] = database
        if kind is not None:
            filters["kind = ?"] = str(kind)
        return map(entry_of, self._rows(filters))

    def transfers(
        self, account_id: int, *, code: int | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Entry]:
        """See `Transfers.transfers`."""
        filters = {_OF_ACCOUNT: wide(account_id), **_between(since, until)}
        if code is not None:
            filters["code = ?"] = code
        return map(entry_of, self._rows(filters))

    def entry(self, transfer_id: int) -> Entry | None:
        """See `Transfers.entry`."""
        with ledger_errors(self._path):
            row = self._row("WHERE id = ?", wide(transfer_id))
        return None if row is None else entry_of(row)

    def balance(self, account_id: int) -> tuple[int, int]:
        """See `Transfers.balance`."""
        account = wide(account_id)
        with ledger_errors(self._path):
            return self._sum("debit_account_id", account), self._sum("credit_account_id", account)

    def balances(self, account_id: int) -> Iterator[Balance]:
        """See `Transfers.balances`."""
        debited = credited = 0
        for entry in self.transfers(account_id):
            debited += entry.transfer.amount if entry.transfer.debit_account_id == account_id else 0
            credited += entry.transfer.amount if entry.transfer.credit_account_id == account_id else 0
            yield Balance(debits=debited, credits=credited, recorded_at=entry.recorded_at)

    def deliveries(self, receiver: str) -> Deliveries:
        """What became of this ledger's entries at a receiver of that name."""
        return Deliveries(self._connection, self._path, receiver)

    def head(self) -> str:
        """See `Ledger.head`."""
        with ledger_errors(self._path):
            row = self._row(_NEWEST)
        return GENESIS if row is None else str(row["hash"])

    def identity(self) -> str:
        """See `Ledger.identity`."""
        with ledger_errors(self._path):
            found = self._connection.execute("SELECT id FROM identity").fetchone()
        if found is None:
            raise LedgerError(f"the ledger {self._path} has lost its identity", hint="Begin a new one at another path.")
        return str(found[0])

    def verify_chain(self) -> int:
        """Recompute every hash, link and sequence number.

        Returns:
            How many entries there are.

        Raises:
            LedgerError: It names the first entry that was altered, removed or inserted.
        """
        identity, count, previous = self.identity(), 0, None
        for row in self._rows({}):
            check_link(identity, previous, row)
            count, previous = count + 1, row
        return count

    def _append(self, content: Row) -> Row:
        newest = self._row(_NEWEST)
        seq, prev_hash = (int(str(newest["seq"])), newest["hash"]) if newest else (0, GENESIS)
        row: Row = {"seq": seq + 1, **content, "recorded_at": microseconds(datetime.now(UTC)), "prev_hash": prev_hash}
        row["hash"] = row_hash(self.identity(), row)
        self._connection.execute(_INSERT, [row[name] for name in COLUMNS])
        return row

    def _row(self, where: str, *values: Value) -> Row | None:
        found = self._connection.execute(f"{_SELECT} {where}", values).fetchone()
        return None if found is None else dict(zip(COLUMNS, found, strict=True))

    def _rows(self, filters: dict[str, Value]) -> Iterator[Row]:
        """Rows in order, a page at a time: a cursor left open would keep its reader from ever writing."""
        where = " AND ".join(["seq > ?", "seq <= ?", *filters])
        with ledger_errors(self._path):
            after, last = self._connection.execute("SELECT min(seq) - 1, max(seq) FROM entry").fetchone()
        while after is not None:
            with ledger_errors(self._path):
                query = f"{_SELECT} WHERE {where} ORDER BY seq LIMIT {_PAGE}"
                page = self._connection.execute(query, [after, last, *filters.values()]).fetchall()
            for found in page:
                yield dict(zip(COLUMNS, found, strict=True))
            after = page[-1][0] if len(page) == _PAGE else None

    def _sum(self, column: str, account: bytes) -> int:
        # added here: 128-bit amounts overflow SQLite's sum
        amounts = self._connection.execute(f"SELECT amount FROM entry WHERE {column} = ?", (account,))
        return sum(from_wide(amount) for (amount,) in amounts)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")  # one writer from reading the head to the insert
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _between(since: datetime | None, until: datetime | None) -> dict[str, Value]:
    filters: dict[str, Value] = {}
    if since is not None:
        filters["recorded_at >= ?"] = microseconds(since)
    if until is not None:
        filters["recorded_at < ?"] = microseconds(until)
    return filters


def _require_same(row: Row, content: Row) -> None:
    differing = [name for name in COMPARED if row[name] != content[name]]
    if differing:
        raise LedgerError(
            f"event {UUID(int=from_wide(content['id']))} is in the ledger with another {', '.join(differing)}",
            hint="What was recorded stays; find out which of the two is right.",
        )
