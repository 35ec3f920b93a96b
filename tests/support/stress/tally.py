"""What the writer's threads share: how a transaction ends, and counts of what they have done."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

Tally = Counter[str]


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection, *, commit: bool = True) -> Iterator[None]:
    """Commit at the end, or roll back if anything was raised or it is asked for."""
    cursor.execute("BEGIN")
    try:
        yield
        cursor.execute("COMMIT" if commit else "ROLLBACK")
    except BaseException:
        # Where the commit itself failed there is none left to roll back.
        with suppress(duckdb.TransactionException):
            cursor.execute("ROLLBACK")
        raise
