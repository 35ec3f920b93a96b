"""Applications that own a database file, of any DuckDB release: children that do as they are told."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.engines import INSTALLED, environment

_APPLICATION = """
import json, os, sys, threading
import duckdb

path, options = sys.argv[1:]
con = duckdb.connect()
con.execute("SET threads = 1")
con.execute(f"ATTACH '{path}' AS db ({options})" if options else f"ATTACH '{path}' AS db")
cursors, threads = {}, []

def execute(cursor, statement):
    if cursor not in cursors:
        cursors[cursor] = con.cursor()
        cursors[cursor].execute("USE db")
    try:
        return {"rows": cursors[cursor].execute(statement).fetchall()}
    except duckdb.Error as error:
        return {"error": str(error)}

print(json.dumps({"rows": []}), flush=True)
for line in sys.stdin:
    cursor, statement, waits = json.loads(line)
    if waits:
        print(json.dumps(execute(cursor, statement), default=str), flush=True)
    else:
        threading.Thread(target=execute, args=(cursor, statement), daemon=True).start()
con.execute("USE memory; DETACH db")
for cursor in cursors.values():
    cursor.close()
con.close()
"""


class Refused(Exception):
    """DuckDB's error in the application."""


class Application:
    """A process that has a database file open for writing; killed at the end unless it was closed before.

    Args:
        path: of the file, made if it is not there.
        engine: the release of DuckDB.
        options: what stands in ATTACH's parentheses.
        launcher: a command line that runs the one which follows.
    """

    def __init__(self, path: Path, engine: str = INSTALLED, options: str = "", launcher: tuple[str, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [*launcher, sys.executable, "-c", _APPLICATION, str(path), options],
            # Measured coverage of it is of no use, and slows it down.
            env={name: value for name, value in environment(engine).items() if not name.startswith("COVERAGE_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with ExitStack() as stack:
            stack.callback(self.kill)
            self._answer()
            stack.pop_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self, *statements: str, cursor: str = "") -> list[list[Any]]:
        """Execute statements on one of its connections; returns the rows of the last.

        Raises:
            Refused: DuckDB says no.
        """
        rows: list[list[Any]] = []
        for statement in statements:
            self._send(cursor, statement, waits=True)
            rows = self._answer()
        return rows

    def begin(self, statement: str, cursor: str) -> None:
        """Let it execute a statement on another of its connections, and do not wait."""
        self._send(cursor, statement, waits=False)

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        """Let it detach the database and end."""
        self._process.communicate()
        assert self._process.returncode == 0

    def _send(self, cursor: str, statement: str, *, waits: bool) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps([cursor, statement, waits]) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> list[list[Any]]:
        assert self._process.stdout
        answer = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise Refused(answer["error"])
        rows: list[list[Any]] = answer["rows"]
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
