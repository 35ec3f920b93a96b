"""A process that judges images: `python -m support.stress.verifier` in the folder `tests`.

Reads one path a line, answers one line of JSON: {"sequence": n}, {"wrong": "what"} or {"unreadable": "why"}. A bad
image may well end it. Needs nothing but DuckDB, of any release.
"""

import json
import sys

import duckdb
from support.stress.invariants import examine


def judge(path: str) -> dict[str, object]:
    with duckdb.connect() as con:
        con.execute("SET memory_limit = '1GB'; SET threads = 2")
        try:
            con.execute(f"ATTACH '{path}' AS image (READ_ONLY); USE image")
            return {"sequence": examine(con)}
        except AssertionError as truth:
            return {"wrong": str(truth)}
        except duckdb.Error as error:
            return {"unreadable": str(error)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(judge(line.rstrip("\n"))), flush=True)
