"""Small transactions, one after another: each moves money, writes it down, and keeps two tables in step."""

import hashlib
import random

import duckdb
from support.stress.counter import Counter
from support.stress.schema import ACCOUNTS
from support.stress.tally import Tally, transaction

KEPT = 8_000
"""Entries that stay when old ones are retired."""


def digest(*values: object) -> str:
    return hashlib.md5("|".join(map(str, values)).encode()).hexdigest()


class Transactions:
    """Numbered 1, 2, 3, …; the counter has the number of the newest one whose commit returned."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, counter: Counter, tally: Tally, seed: int) -> None:
        self._cursor = cursor
        self._counter = counter
        self._tally = tally
        self._chance = random.Random(seed)

    def step(self) -> None:
        if self._chance.random() < 0.1:
            with transaction(self._cursor, commit=False):
                self._write(self._counter.value + 1)
            self._tally["rolled_back"] += 1
        sequence = self._counter.value + 1
        with transaction(self._cursor):
            self._write(sequence)
            if self._chance.random() < 0.2:
                self._forget_a_pair(sequence)
            if sequence % 1_000 == 0:
                self._retire(sequence - KEPT)
        self._counter.value = sequence
        self._tally["transactions"] += 1

    def _write(self, sequence: int) -> None:
        source, target = self._chance.sample(range(ACCOUNTS), 2)
        amount, note = self._chance.randint(1, 100), self._note()
        run = self._cursor.execute
        run("UPDATE accounts SET balance = balance - ? WHERE id = ?", [amount, source])
        run("UPDATE accounts SET balance = balance + ? WHERE id = ?", [amount, target])
        row = [sequence, source, target, amount, note]
        run("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?)", [*row, digest(*row)])
        run("INSERT INTO lefts VALUES (?, ?)", [sequence, amount])
        run("INSERT INTO rights VALUES (?, ?)", [sequence, amount])

    def _note(self) -> str:
        # Longer than 4 KB: a block of its own in memory; longer than 256 KiB: several blocks of the file.
        kind = self._chance.random()
        length = 20 if kind < 0.96 else 3_000 if kind < 0.9985 else 150_000
        return self._chance.randbytes(length).hex()

    def _forget_a_pair(self, sequence: int) -> None:
        forgotten = self._chance.randint(max(1, sequence - KEPT), sequence)
        for table in ("lefts", "rights"):
            self._cursor.execute(f"DELETE FROM {table} WHERE sequence = ?", [forgotten])

    def _retire(self, last: int) -> None:
        if last < 1:
            return
        for table in ("ledger", "lefts", "rights"):
            self._cursor.execute(f"DELETE FROM {table} WHERE sequence <= ?", [last])
        self._cursor.execute("UPDATE span SET first = ?", [last + 1])
