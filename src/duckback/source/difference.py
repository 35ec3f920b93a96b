"""The multiset difference of two sets of rows, batch by batch, from their hashes alone.

To cancel a row of one side against an equal one of the other is right in any order, so batches can be of any rows;
what is left of one waits for the next. What is left of the last is the difference. The batches go through files and
not temporary tables, which a transaction would keep until its end.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from duckback.errors import IntegrityError
from duckback.model.manifest import Fingerprint
from duckback.source.sql import literal

NOW = -1
"""In place of the number of an object: the row is the table's."""

_SUMS = "count(*), coalesce(sum(h1), 0), coalesce(sum(h2), 0)"
_SIDE = f"CASE WHEN o = {NOW} THEN 1 ELSE -1 END"


class Difference:
    """What is only in the table, and what is only in the parent's objects.

    Rows are described by five columns: `o`, NOW or the number of the parent's object; `r`, the rowid or the row in
    the object; `h1` and `h2`, the two hashes of the row.

    Args:
        con: any connection that may write files.
        folder: for them; made if missing.
        stem: makes their names unique there.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, stem: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._con = con
        self._path = folder / f"{stem}.left"
        self._found = folder / f"{stem}.difference"
        self._next = folder / f"{stem}.next"
        self._has_left = False

    def cancel(self, queries: Iterable[str]) -> int:
        """Add the rows of queries, cancel those that both sides have; returns how many are left."""
        rows = " UNION ALL ".join([*queries, *([f"FROM {_read(self._path)}"] if self._has_left else [])])
        statement = f"""
            WITH pool AS MATERIALIZED ({rows}),
            uneven AS (SELECT h1, h2 FROM pool GROUP BY h1, h2 HAVING sum({_SIDE}) <> 0)
            SELECT pool.* FROM pool SEMI JOIN uneven USING (h1, h2)
        """
        left = self._copy(statement, self._next)
        self._next.replace(self._path)
        self._has_left = True
        return left

    def settle(self) -> None:
        """Say that all rows have been added: of rows that are equal, as many are chosen as one side has more."""
        # Of equal rows in the table those that came last are the new ones; in the objects any will do.
        self._copy(
            f"""
            WITH uneven AS (
                SELECT h1, h2, sum({_SIDE})::BIGINT AS surplus FROM {_read(self._path)} GROUP BY h1, h2
                HAVING surplus <> 0
            ),
            ranked AS (
                SELECT o, r, h1, h2, surplus,
                    row_number() OVER (PARTITION BY h1, h2 ORDER BY CASE WHEN o = {NOW} THEN -r ELSE r END, o) AS rank
                FROM {_read(self._path)} JOIN uneven USING (h1, h2)
                WHERE (o = {NOW}) = (surplus > 0)
            )
            SELECT o, r, h1, h2 FROM ranked WHERE rank <= abs(surplus)
            """,
            self._found,
        )

    def added(self, low: int, high: int) -> str:
        """The query of the rowids from `low` to before `high` that are only in the table: `r`."""
        return f"SELECT r FROM {_read(self._found)} WHERE o = {NOW} AND r >= {low} AND r < {high}"

    def removed(self, names: Sequence[str]) -> str:
        """The query of the rows that are only in the objects: `object`, the name of its number, and `row`."""
        listed = ", ".join(map(literal, names))
        return (
            f'SELECT list_extract([{listed}], o + 1) AS object, r AS "row" FROM {_read(self._found)} WHERE o <> {NOW}'
        )

    def added_by(self, chunk_rows: int) -> dict[int, Fingerprint]:
        """Fingerprints of the rows that are only in the table, by number of the chunk of so many rowids."""
        query = f"SELECT r // {chunk_rows}, {_SUMS} FROM {_read(self._found)} WHERE o = {NOW} GROUP BY 1"
        return _fingerprints(self._con.execute(query).fetchall())

    def removed_by(self, runs: list[tuple[int, int, int]]) -> dict[int, Fingerprint]:
        """Fingerprints of the rows that are only in the objects, by a number that is given to each run of rows.

        Args:
            runs: object, first row, and the number; a run ends where the next one of the object begins.
        """
        numbers, firsts, labels = ([run[place] for run in runs] for place in range(3))
        query = f"""
            WITH runs AS (SELECT unnest(?::BIGINT[]) AS o, unnest(?::BIGINT[]) AS first, unnest(?::BIGINT[]) AS label)
            SELECT label, {_SUMS} FROM (FROM {_read(self._found)} WHERE o <> {NOW}) gone
            ASOF JOIN runs ON gone.o = runs.o AND gone.r >= runs.first GROUP BY 1
        """
        return _fingerprints(self._con.execute(query, [numbers, firsts, labels]).fetchall())

    def close(self) -> None:
        """Remove the files; a second call does nothing."""
        for path in (self._path, self._next, self._found):
            path.unlink(missing_ok=True)

    def _copy(self, query: str, path: Path) -> int:
        statement = f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION uncompressed)"
        (count,) = self._con.execute(statement).fetchall()[0]
        if not isinstance(count, int):
            raise IntegrityError(f"DuckDB did not say how many rows it wrote to {path}")
        return count


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def _fingerprints(rows: list[tuple[int, int, int, int]]) -> dict[int, Fingerprint]:
    return {number: Fingerprint(rows=count, sum1=sum1, sum2=sum2) for number, count, sum1, sum2 in rows}
