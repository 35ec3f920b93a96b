"""A store that fails when it is told to, before or after it did what it was asked."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from duckback.errors import DuckbackError
from duckback.store.base import Store
from duckback.store.forwarding import ForwardingStore

_T = TypeVar("_T")


@dataclass(frozen=True)
class Fault:
    """Fail calls of a method, counted from 1.

    Attributes:
        method: of Store; "": any.
        error: what is raised.
        first: the first call that fails.
        last: the last one that does.
        after: whether the call is carried out before it fails: an answer lost on its way.
        key: only calls whose key or prefix contains this count.
    """

    method: str
    error: DuckbackError
    first: int = 1
    last: int = 1
    after: bool = False
    key: str = ""


class FaultyStore(ForwardingStore):
    """Another store, with faults; `calls` are the (method, key) pairs that were made."""

    def __init__(self, store: Store, *faults: Fault) -> None:
        super().__init__(store)
        self.faults = list(faults)
        self.calls: list[tuple[str, str]] = []
        self.before: dict[str, Callable[[str], None]] = {}
        self._counts: dict[int, int] = {}
        self._lock = threading.Lock()

    def _call(self, method: str, key: str, act: Callable[[], _T]) -> _T:
        with self._lock:
            self.calls.append((method, key))
            due = [fault for fault in self.faults if self._is_due(fault, method, key)]
        if method in self.before:
            self.before[method](key)
        for fault in due:
            if not fault.after:
                raise fault.error
        result = act()
        for fault in due:
            raise fault.error
        return result

    def _is_due(self, fault: Fault, method: str, key: str) -> bool:
        if fault.method not in {"", method} or fault.key not in key:
            return False
        self._counts[id(fault)] = self._counts.get(id(fault), 0) + 1
        return fault.first <= self._counts[id(fault)] <= fault.last
