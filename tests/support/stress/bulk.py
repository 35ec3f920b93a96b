"""Large statements: loads that are written to the file before they commit, deletes, updates, replaced tables."""

import random
from collections import deque

import duckdb
from support.stress.tally import Tally, transaction

_ROW_GROUP = 122_880
KEPT = 3
"""Batches that stay when old ones are deleted."""


class Bulk:
    """One large change a step, drawn at random."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, tally: Tally, seed: int) -> None:
        self._cursor = cursor
        self._tally = tally
        self._chance = random.Random(seed)
        self._batches: deque[int] = deque()
        self._number = 0
        names = "SELECT count(*) FROM duckdb_settings() WHERE name = 'auto_checkpoint_skip_wal_threshold'"
        self._can_skip_wal = cursor.execute(names).fetchall() == [(1,)]

    def first(self) -> None:
        """One of each kind that adds rows."""
        self._load()
        self._replace()

    def step(self) -> None:
        self._chance.choices([self._load, self._replace, self._bump], [4, 3, 2])[0]()
        self._tally["bulk"] += 1

    def _load(self) -> None:
        # More than a row group goes to the file at once, and the log refers to it; unless the commit checkpoints.
        if self._can_skip_wal:
            threshold = self._chance.choice([100_000, 10_000_000])
            self._cursor.execute(f"SET auto_checkpoint_skip_wal_threshold = {threshold}")
        self._number += 1
        rows = self._chance.randint(_ROW_GROUP, 2 * _ROW_GROUP)
        commit = self._chance.random() < 0.8 or not self._batches
        with transaction(self._cursor, commit=commit):
            self._cursor.execute("INSERT INTO batches VALUES (?, ?, 0)", [self._number, rows])
            self._cursor.execute(
                "INSERT INTO loads SELECT $batch, i, i, 'word ' || md5($batch || ':' || i // 16) FROM range($rows) r(i)",
                {"batch": self._number, "rows": rows},
            )
        if commit:
            self._batches.append(self._number)
        if len(self._batches) > KEPT:
            self._delete()

    def _delete(self) -> None:
        with transaction(self._cursor):
            for table in ("loads", "batches"):
                self._cursor.execute(f"DELETE FROM {table} WHERE batch = ?", [self._batches[0]])
        self._batches.popleft()

    def _bump(self) -> None:
        batch = self._chance.choice(self._batches)
        with transaction(self._cursor):
            self._cursor.execute("UPDATE loads SET value = value + 1 WHERE batch = ?", [batch])
            self._cursor.execute("UPDATE batches SET bumps = bumps + 1 WHERE batch = ?", [batch])

    def _replace(self) -> None:
        self._number += 1
        with transaction(self._cursor):
            self._cursor.execute(
                "CREATE OR REPLACE TABLE generations AS SELECT $generation::BIGINT AS generation, $rows::BIGINT AS rows, i, "
                "md5($generation || ':' || i) AS digest FROM range($rows) r(i)",
                {"generation": self._number, "rows": self._chance.randint(_ROW_GROUP, 2 * _ROW_GROUP)},
            )
            self._cursor.execute("UPDATE current SET generation = ?", [self._number])
