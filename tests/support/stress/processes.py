"""The writer and the verifier, as children that are ended by their own ids."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.engines import environment
from support.stress.counter import Counter

TESTS = Path(__file__).parents[2]
READY_SECONDS = 300
ANSWER_SECONDS = 120
STOP_SECONDS = 60


class Died(Exception):
    """A child ended, or said nothing for too long."""


class Hung(Died):
    """It is still there, and says nothing."""


class Child:
    """A module of this folder in a process that has that release of DuckDB; it ends when its input is closed."""

    def __init__(self, engine: str, module: str, *arguments: object) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"support.stress.{module}", *map(str, arguments)],
            cwd=TESTS,
            # Measured coverage of it is of no use, and slows it down.
            env={name: value for name, value in environment(engine).items() if not name.startswith("COVERAGE_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._out = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Died(self.last_words()) from None

    def answer(self, seconds: float) -> dict[str, Any]:
        """Its next line.

        Raises:
            Died: there is none.
            Hung: there is none for so long.
        """
        assert self._process.stdout
        until = time.monotonic() + seconds
        while b"\n" not in self._out:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, until - time.monotonic()))
            more = os.read(self._process.stdout.fileno(), 1 << 16) if ready else b""
            if not more:
                raise Died(self.last_words()) if ready else Hung(f"no answer within {seconds} s")
            self._out += more
        line, self._out = self._out.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def last_words(self) -> str:
        """How it ended, and what it had to say."""
        code = self._process.wait(STOP_SECONDS)
        self._errors.seek(0)
        return f"ended with code {code}: {self._errors.read()[-2_000:].strip()}"

    def close_input(self) -> None:
        """As happens when this process dies."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.stdin = None

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


class Writer(Child):
    """Owns a database file; see `writer.py` for its options."""

    def __init__(self, engine: str, folder: Path, *options: object) -> None:
        self.database = folder / "busy.duckdb"
        self.counter = Counter(folder / "counter")
        super().__init__(engine, "writer", self.database, folder / "counter", *options)
        try:
            self.answer(READY_SECONDS)
        except BaseException:
            self.kill()
            raise

    @property
    def sequence(self) -> int:
        """The number of the newest transaction whose commit has returned."""
        return self.counter.value

    def stop(self) -> dict[str, Any]:
        """End it in order, and answer how much it has done.

        Raises:
            Died: it has failed, now or before.
        """
        self._process.terminate()
        return self.done()

    def done(self) -> dict[str, Any]:
        """Wait for its end; answers and raises as `stop`."""
        done = self.answer(STOP_SECONDS)
        if self._process.wait(STOP_SECONDS):
            raise Died(self.last_words())
        return done
