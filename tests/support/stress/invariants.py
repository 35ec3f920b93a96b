"""What is true of the writer's tables after any of its transactions. Needs nothing but DuckDB, of any release."""

import duckdb
from support.stress.schema import BALLAST, TOTAL

_TRUTHS = {
    "no money is made or lost": f"SELECT sum(balance) = {TOTAL} FROM accounts",
    "the ledger has no holes": """
        SELECT min(sequence) = (FROM span) AND count(*) = max(sequence) - min(sequence) + 1
          AND count(DISTINCT sequence) = count(*) FROM ledger""",
    "every entry is as it was written": """
        SELECT bool_and(digest = md5(concat_ws('|', sequence, source, target, amount, note))) FROM ledger""",
    "both halves of every pair are there": """
        SELECT count(*) = 0 FROM lefts FULL JOIN rights USING (sequence)
        WHERE lefts.value IS DISTINCT FROM rights.value""",
    "every pair has its entry": """
        SELECT count(*) = 0 FROM rights LEFT JOIN ledger USING (sequence)
        WHERE ledger.amount IS DISTINCT FROM rights.value""",
    "an index finds what a scan finds": """
        SELECT bool_and((SELECT count(*) FROM lefts WHERE sequence = wanted) = 1)
        FROM (SELECT sequence AS wanted FROM rights USING SAMPLE 20)""",
    "every batch is whole": """
        SELECT count(*) > 0 AND bool_and(loaded IS NOT DISTINCT FROM rows AND bumped IS NOT DISTINCT FROM bumps * rows)
        FROM batches FULL JOIN (
            SELECT batch, count(*) AS loaded, sum(value - i) AS bumped FROM loads GROUP BY batch
        ) USING (batch)""",
    "every word of a batch is as it was loaded": """
        SELECT bool_and(word = 'word ' || md5(batch || ':' || i // 16)) FROM loads WHERE i % 4 = 3""",
    "a replaced table is all of one generation": """
        SELECT bool_and(generation = (FROM current)) AND count(*) = min(rows) AND count(DISTINCT i) = count(*)
          AND max(i) = count(*) - 1 FROM generations""",
    "every row of a replaced table is its own": """
        SELECT bool_and(digest = md5(generation || ':' || i)) FROM generations""",
    "what nobody touches stays": "SELECT count(*) = max(i) + 1 AND min(i) = 0 FROM ballast",
    "and stays as it was": f"""
        SELECT bool_and((a, b, c, d) = ({BALLAST})) FROM ballast WHERE i % 16 = 5""",
}


def examine(con: duckdb.DuckDBPyConnection) -> int:
    """Read all of the current database, and answer its newest transaction's number.

    Raises:
        AssertionError: one of its truths is none; the message says which.
        duckdb.Error: it cannot be read.
    """
    names = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
    for (name,) in con.execute(names).fetchall():
        con.execute(f"SELECT sum(hash(t)) FROM {name} t").fetchall()
    for truth, query in _TRUTHS.items():
        if con.execute(query).fetchall() != [(True,)]:
            raise AssertionError(truth)
    (newest,) = con.execute("SELECT max(sequence) FROM ledger").fetchall()[0]
    return int(newest)
