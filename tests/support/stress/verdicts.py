"""What an image is worth."""

from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from support.stress.processes import ANSWER_SECONDS, Child, Died, Hung

Verdict = Literal["good", "stale", "wrong", "unreadable", "crashed"]
"""Stale: consistent, but without transactions that were committed before; wrong: DuckDB reads it, and something in it
is not true; unreadable: DuckDB says that it cannot read it; crashed: DuckDB ended or hung over it."""


class Judge:
    """Has images read by a verifier with that release of DuckDB, and by a new one after an image that ended it."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self._verifier = Child(engine, "verifier")

    @property
    def pid(self) -> int:
        return self._verifier.pid

    def verdict(self, image: Path, committed: int) -> tuple[Verdict, str]:
        """On an image that was begun when so many transactions were committed; and why, unless it is good.

        DuckDB 2.0.0 hung once over an image that it then read six times without a fault. So after a reader that hangs
        a second one is asked, and that is told with the verdict.
        """
        try:
            return self._judged(image, committed)
        except Hung as hang:
            self._replace()
            first = f"the first reader gave {hang}"
        except Died as death:
            self._replace()
            return "crashed", str(death)
        try:
            verdict, why = self._judged(image, committed)
        except Died as death:
            self._replace()
            return "crashed", f"{first}; {death}"
        return verdict, f"{first}; {why}"

    def _replace(self) -> None:
        self._verifier.kill()
        self._verifier = Child(self.engine, "verifier")

    def _judged(self, image: Path, committed: int) -> tuple[Verdict, str]:
        self._verifier.ask(str(image))
        answer = self._verifier.answer(ANSWER_SECONDS)
        if "wrong" in answer:
            return "wrong", f"not so: {answer['wrong']}"
        if "unreadable" in answer:
            return "unreadable", answer["unreadable"]
        if answer["sequence"] < committed:
            return "stale", f"{answer['sequence']} transactions of {committed}"
        return "good", ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._verifier.kill()
