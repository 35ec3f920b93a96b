"""Captures of a database while it is written to, and a verdict on each."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from support.stress.captures import Capture
from support.stress.processes import Died, Writer
from support.stress.verdicts import Judge, Verdict

from duckback.errors import DuckbackError

PROGRESS_SECONDS = 30
MOST_KEPT = 3


@dataclass(frozen=True)
class Outcome:
    """Of one capture.

    Attributes:
        verdict: see `verdicts`; refused: the capture gave up.
        why: unless it is good.
        passes: how often the database was read.
        seconds: that the capture took.
    """

    verdict: Verdict | Literal["refused"]
    why: str
    passes: int
    seconds: float


class Stress:
    """A database, its writer at work, and judges of images.

    Attributes:
        writer: of the database.
        folder: private, gone in the end.
    """

    def __init__(self, writer: Writer, folder: Path, judges: Sequence[Judge]) -> None:
        self.writer = writer
        self.folder = folder
        self._judges = judges
        self._captures = 0

    def outcomes(self, capture: Capture, count: int, *, bad: Path | None = None) -> Iterator[Outcome]:
        """Capture so often while the writer goes on; the judges take turns.

        Args:
            capture: makes the images.
            count: of images.
            bad: a directory to which the first few that are not good are copied.

        Raises:
            Died: the writer has, or commits no more.
        """
        for _ in range(count):
            yield self._outcome(capture, bad)
            self._wait_for_commits()

    def at_rest(self, capture: Capture) -> Outcome:
        """Stop the writer, then capture.

        Raises:
            Died: the writer did not end in order.
        """
        self.writer.stop()
        return self._outcome(capture, None)

    def _outcome(self, capture: Capture, bad: Path | None) -> Outcome:
        judge = self._judges[self._captures % len(self._judges)]
        self._captures += 1
        committed = self.writer.sequence
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="image-") as name:
            started = time.monotonic()
            try:
                copied = capture(self.writer.database, Path(name))
            except DuckbackError as error:
                return Outcome("refused", error.message, 0, time.monotonic() - started)
            seconds = time.monotonic() - started
            verdict, why = judge.verdict(copied.path, committed)
            if bad and verdict != "good":
                _keep(copied.path.parent, bad, f"{verdict}: {why}\nto {judge.engine}; committed before: {committed}\n")
        return Outcome(verdict, why, copied.passes, seconds)

    def _wait_for_commits(self) -> None:
        # A writer at rest would make every image good.
        before, until = self.writer.sequence, time.monotonic() + PROGRESS_SECONDS
        while self.writer.sequence == before:
            if not self.writer.is_running:
                raise Died(f"the writer {self.writer.last_words()}")
            if time.monotonic() > until:
                raise Died(f"the writer has committed nothing for {PROGRESS_SECONDS} s")
            time.sleep(0.001)


def _keep(image: Path, bad: Path, why: str) -> None:
    bad.mkdir(exist_ok=True)
    if len(list(bad.iterdir())) < MOST_KEPT:
        kept = tempfile.mkdtemp(dir=bad)
        shutil.copytree(image, kept, dirs_exist_ok=True)
        Path(kept, "why.txt").write_text(why)


@contextmanager
def stress(folder: Path, engine: str, *options: object, readers: Sequence[str] = ()) -> Iterator[Stress]:
    """A database that is kept busy by that release of DuckDB until the end.

    Args:
        folder: what is made in it is large, and gone in the end.
        engine: of the writer.
        options: of the writer.
        readers: releases that judge the images; the writer's own if none is given.
    """
    with ExitStack() as stack:
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="stress-")))
        writer = stack.enter_context(Writer(engine, private, *options))
        judges = [stack.enter_context(Judge(reader)) for reader in readers or (engine,)]
        yield Stress(writer, private, judges)
