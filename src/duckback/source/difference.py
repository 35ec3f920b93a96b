"""The multiset difference of two sets of rows, batch by batch, from their hashes alone.

To cancel a row of one side against an equal one of the other is right in any order, so batches can be of any rows;
what is left of one waits for the next. What is left of the last is the difference. The batches go through files and
not temporary tables, which a transaction would keep until its end.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from duckback.model.manifest import Fingerprint
from duckback.source.sql import literal

NOW = -1
"""In place of the number of an object: the row is the table's."""

_NO_ROWS = f"SELECT 0 AS b, {NOW} AS o, 0::BIGINT AS r, 0::UBIGINT AS h1, 0::UBIGINT AS h2 WHERE false"
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
        self._aside: list[Path] = []

    def cancel(self, batches: Mapping[int, Iterable[str]]) -> dict[int, int]:
        """Add batches of rows, and cancel those that both sides have.

        Args:
            batches: queries of rows, by a number that the batch is given; any is given once.

        Returns:
            How many are left of each batch of which any are; those that were set aside are not among them.
        """
        added = [f"SELECT {number} AS b, * FROM ({query})" for number, queries in batches.items() for query in queries]
        rows = " UNION ALL ".join([*added, f"FROM {_left(self._path)}"])
        statement = f"""
            WITH pool AS MATERIALIZED ({rows}),
            uneven AS (SELECT h1, h2 FROM pool GROUP BY h1, h2 HAVING sum({_SIDE}) <> 0)
            SELECT pool.* FROM pool SEMI JOIN uneven USING (h1, h2)
        """
        self._copy(statement, self._next)
        self._next.replace(self._path)
        return dict(self._con.execute(f"SELECT b, count(*) FROM {_read(self._path)} GROUP BY b").fetchall())

    def set_aside(self, batches: Sequence[int]) -> None:
        """Have what is left of batches, by their numbers, wait for the end instead of being compared with the next."""
        if not batches:
            return
        chosen = f"b IN ({', '.join(map(str, batches))})"
        aside = self._path.with_suffix(f".aside{len(self._aside)}")
        self._aside.append(aside)
        self._copy(f"FROM {_read(self._path)} WHERE {chosen}", aside)
        self._copy(f"FROM {_read(self._path)} WHERE NOT {chosen}", self._next)
        self._next.replace(self._path)

    def settle(self) -> None:
        """Say that all rows have been added: of rows that are equal, as many are chosen as one side has more."""
        # Of equal rows in the table those that came last are the new ones; in the objects any will do.
        left = _left(self._path, *self._aside)
        self._copy(
            f"""
            WITH uneven AS (
                SELECT h1, h2, sum({_SIDE})::BIGINT AS surplus FROM {left} GROUP BY h1, h2
                HAVING surplus <> 0
            ),
            ranked AS (
                SELECT o, r, h1, h2, surplus,
                    row_number() OVER (PARTITION BY h1, h2 ORDER BY CASE WHEN o = {NOW} THEN -r ELSE r END, o) AS rank
                FROM {left} JOIN uneven USING (h1, h2)
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
        for path in (self._path, self._next, self._found, *self._aside):
            path.unlink(missing_ok=True)

    def _copy(self, query: str, path: Path) -> None:
        statement = f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION uncompressed)"
        self._con.execute(statement).fetchall()


def _left(*paths: Path) -> str:
    # Before the first batch there is no file.
    there = [path for path in paths if path.exists()]
    return _read(*there) if there else f"({_NO_ROWS})"


def _read(*paths: Path) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}], hive_partitioning = false)"


def _fingerprints(rows: list[tuple[int, int, int, int]]) -> dict[int, Fingerprint]:
    return {number: Fingerprint(rows=count, sum1=sum1, sum2=sum2) for number, count, sum1, sum2 in rows}
