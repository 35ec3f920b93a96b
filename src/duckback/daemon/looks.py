"""Looks at repositories, each in a thread, and each with an end: a dead mount answers nobody, and cannot be killed."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from duckback.audit.past import Past
from duckback.errors import TookTooLong

Answer = Callable[[Past | Exception], None]


@dataclass
class _Look:
    began: float = field(default_factory=time.monotonic)
    is_given_up: bool = False


class Looks:
    """The looks that are under way, one at most for each database.

    A look that is given up has been answered; while its thread still hangs, no second one is begun beside it.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, _Look] = {}
        self._lock = threading.Lock()

    def look(self, name: str, look: Callable[[], Past], limit: timedelta, answer: Answer) -> None:
        """Look, and answer once: with what there is, why it cannot be seen, or TookTooLong after `limit`."""
        with self._lock:
            hangs = name in self._under_way
            one = self._under_way.setdefault(name, _Look())
        if hangs:
            answer(_given_up("has not answered yet since the last look was given up"))
            return
        timer = threading.Timer(limit.total_seconds(), self._give_up, (name, one, answer, limit))
        timer.daemon = True
        timer.start()
        found: Past | Exception
        try:
            found = look()
        except Exception as error:  # noqa: BLE001 -- a look that fails is told of, whatever it was
            found = error
        timer.cancel()
        with self._lock:
            del self._under_way[name]
        if not one.is_given_up:
            answer(found)

    def _give_up(self, name: str, one: _Look, answer: Answer, limit: timedelta) -> None:
        with self._lock:
            if self._under_way.get(name) is not one:
                return
            one.is_given_up = True
        answer(_given_up(f"did not answer within {limit.total_seconds():g} s"))

    def hanging(self) -> dict[str, float]:
        """The databases whose look was given up and hangs, and for how many seconds it has by now."""
        now = time.monotonic()
        with self._lock:
            return {name: now - one.began for name, one in self._under_way.items() if one.is_given_up}


def _given_up(what: str) -> TookTooLong:
    return TookTooLong(
        f"the repository or the ledger {what}",
        hint="Is a network mount dead? A look is given up after daemon.longest_look.",
    )
