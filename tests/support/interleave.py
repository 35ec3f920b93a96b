"""Running the real code of several processes on one store in every order of their calls to it.

Each process is a greenlet that waits before each call that another process could notice; a scheduler lets one of
them go at a time. A world is run again from its beginning for every schedule. Of orders that differ only in steps that do not
concern one another one is run (sleep sets: Godefroid, Partial-Order Methods for the Verification of Concurrent
Systems, 1996), and states that were reached before, by what is stored and by what each process has been answered, are
not gone into again.
"""

import builtins
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Literal, ParamSpec, Self, TypeVar

from greenlet import getcurrent, greenlet

from duckback.errors import DuckbackError
from duckback.store.base import DeleteFailure, ListedObject, StoredObject
from duckback.store.memory import MemoryStore

T = TypeVar("T")
P = ParamSpec("P")

_LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
"""When everything was written: states are not to differ by the time that it took to reach them."""

_NOW = datetime(2126, 1, 1, tzinfo=UTC)

_HIDING = re.compile(r"[^/]+/(manifests|pruned)/[0-9a-f-]{36}\.json")
"""Manifests and tombstones: whether a backup counts."""


class Serial:
    """In place of a pool of threads: a process's calls come one after the other."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, act: Callable[[Any], T], what: Iterable[Any]) -> "list[T]":
        return [act(one) for one in what]


class Killed(BaseException):
    """The process is no more: it does nothing again, in no finally either."""


@dataclass(frozen=True)
class Step:
    """A call: what it reads (keys, or what they begin with) or changes (keys)."""

    kind: Literal["", "read", "list", "change"]
    keys: tuple[str, ...]

    def _bares(self, other: "Step") -> bool:
        # What the test looks at is whether a backup lacks an object; that is seen, whichever comes first, in the state
        # after both, but where one takes the object and the other the backup out of sight.
        return any("/duckdb/" in key for key in self.keys) and any(_HIDING.fullmatch(key) for key in other.keys)

    def concerns(self, other: "Step") -> bool:
        """Whether it matters which of the two comes first."""
        if self.kind != "change":
            return other.kind == "change" and other.concerns(self)
        if other.kind == "change":
            return not {*self.keys}.isdisjoint(other.keys) or self._bares(other) or other._bares(self)
        begins = other.kind == "list"
        return any(mine.startswith(its) if begins else mine == its for mine in self.keys for its in other.keys)


class Process:
    """One process.

    Attributes:
        objects_are_new: it finds them written a moment ago, and all else long ago.
        next: the call that it waits to make.
        seen: what it was answered, and has not forgotten; its state, since it is a function of that.
        result: what it returned.
        error: what it raised.
    """

    def __init__(self, act: Callable[["Store"], Any], inner: MemoryStore, *, objects_are_new: bool = False) -> None:
        self._act = act
        self._store = Store(inner, self)
        self._greenlet = greenlet(self._run)
        self._greenlet.process = self  # type: ignore[attr-defined]  # for `current`
        self.objects_are_new = objects_are_new
        self.next = Step("", ())
        self.seen: list[object] = []
        self.result: Any = None
        self.error: BaseException | None = None

    def _run(self) -> None:
        try:
            self.result = self._act(self._store)
        except (DuckbackError, Killed, AssertionError) as error:
            self.error = error

    @staticmethod
    def current() -> "Process | None":
        """The one that is at work."""
        return getattr(getcurrent(), "process", None)

    @property
    def is_over(self) -> bool:
        return bool(self._greenlet.dead)

    def step(self) -> None:
        """Let it make its call, and go on to the next one."""
        self._greenlet.switch()

    def kill(self) -> None:
        """End it."""
        while not self.is_over:
            self._greenlet.throw(Killed)

    def call(self, step: "Step", act: Callable[[], T], answer: Callable[[T], object]) -> T:
        self.next = step
        scheduler = getcurrent().parent
        assert scheduler is not None
        scheduler.switch()
        try:
            result = act()
        except DuckbackError as error:
            self.seen.append(type(error).__name__)
            raise
        self.seen.append(answer(result))
        return result


def at_once(step: Step, act: Callable[[], T]) -> T:
    """Something else than a call to the store that others could notice, as a step of whichever process is at work."""
    process = Process.current()
    return act() if process is None else process.call(step, act, str)


def forgetful(function: Callable[P, T], *, of_all: bool = False) -> Callable[P, T]:
    """Of all that a process was answered in this function it knows, once that has ended, what it has returned.

    Args:
        function: leaves nothing behind but in the store.
        of_all: what it returns is for a report alone, which nobody reads.
    """

    @wraps(function)
    def instead(*args: P.args, **kwargs: P.kwargs) -> T:
        process = Process.current()
        if process is None:
            return function(*args, **kwargs)
        before = len(process.seen)
        try:
            result = function(*args, **kwargs)
        except DuckbackError as error:
            process.seen[before:] = [repr(error)]
            raise
        process.seen[before:] = ["" if of_all else _as_text(result)]
        return result

    return instead


def _as_text(value: object) -> str:
    # Sets and mappings that are equal may have different orders.
    if isinstance(value, AbstractSet):
        return str(sorted(map(str, value)))
    return str(sorted((str(key), str(one)) for key, one in value.items())) if isinstance(value, Mapping) else str(value)


class Store(MemoryStore):
    """A process's way to the store.

    What no other process can notice is no step of its own; a listing and the reading of what it names are one.
    """

    def __init__(self, inner: MemoryStore, process: Process) -> None:
        super().__init__()
        self._objects = inner._objects
        self._process = process

    def create(self, key: str, data: bytes, *, lock: bool = False) -> None:
        if "/duckdb/" in key:
            super().create(key, data)
        else:
            self._process.call(Step("change", (key,)), lambda: super(Store, self).create(key, data), str)

    def get(self, key: str, *, limit: int) -> bytes:
        if "/duckdb/" not in key:  # read as soon as it was listed, or never removed
            return super().get(key, limit=limit)
        return self._process.call(Step("read", (key,)), lambda: super(Store, self).get(key, limit=limit), hash)

    def head(self, key: str, *, known: bool = False) -> StoredObject:
        return self._process.call(
            Step("read", (key,)), lambda: super(Store, self).head(key), lambda found: found.sha256
        )

    def list(self, prefix: str) -> Iterator[ListedObject]:
        def act() -> "builtins.list[ListedObject]":
            return [replace(one, modified=self._written_at(one.key)) for one in super(Store, self).list(prefix)]

        return iter(self._process.call(Step("list", (prefix,)), act, lambda found: tuple(one.key for one in found)))

    def _written_at(self, key: str) -> datetime:
        return _NOW if "/duckdb/" in key and self._process.objects_are_new else _LONG_AGO

    def delete(self, keys: "builtins.list[str]") -> "builtins.list[DeleteFailure]":
        return self._process.call(Step("change", tuple(keys)), lambda: super(Store, self).delete(keys), str)

    def abort_uploads(self, prefix: str, *, before: datetime) -> "builtins.list[str]":
        return []


@dataclass
class World:
    """What is stored, and who is at work on it; `notes` is for the test, and a part of the state as text."""

    store: MemoryStore
    processes: list[Process] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def add(self, act: Callable[[Store], Any], *, objects_are_new: bool = False) -> None:
        self.processes.append(Process(act, self.store, objects_are_new=objects_are_new))

    def begin(self) -> None:
        for process in self.processes:
            process.step()

    @property
    def able(self) -> list[int]:
        """The processes that can go on."""
        return [number for number, process in enumerate(self.processes) if not process.is_over]

    def still_asleep(self, asleep: set[int], number: int) -> frozenset[int]:
        """Of processes whose next step was gone into already, those that need not be, after that of this one."""
        step = self.processes[number].next
        return frozenset(other for other in asleep if not self.processes[other].next.concerns(step))

    def state(self) -> object:
        """What the future depends on."""
        stored = tuple(sorted((key, hash(one.data)) for key, one in self.store._objects.items()))
        # What has ended has no future; what the test asks of it is in how it ended.
        return (
            stored,
            str(self.notes),
            tuple(str(one.error or "well") if one.is_over else tuple(one.seen) for one in self.processes),
        )

    def end(self) -> None:
        for process in self.processes:
            process.kill()


def explore(make: Callable[[], World], each: Callable[[World], None], last: Callable[[World], None]) -> tuple[int, int]:
    """Go through every order of steps.

    Args:
        make: the world at its beginning; always the same.
        each: raises if a state is bad.
        last: the same of a state in which everybody is through.

    Returns:
        How many states were seen, and how many schedules were run.
    """
    known: dict[object, list[frozenset[int]]] = {}
    waiting: list[tuple[list[int], frozenset[int]]] = [([], frozenset())]
    schedules = 0
    while waiting:
        schedules += 1
        done, asleep = waiting.pop()
        world = make()
        world.begin()
        try:
            for number in done:
                world.processes[number].step()
            while not _is_known(known, hash(world.state()), asleep):
                each(world)
                able = [number for number in world.able if number not in asleep]
                if not world.able:
                    last(world)
                if not able:
                    break
                sleepers = [world.still_asleep({*asleep, *able[:n]}, number) for n, number in enumerate(able)]
                waiting += [([*done, able[n]], sleepers[n]) for n in range(1, len(able))]
                done, asleep = [*done, able[0]], sleepers[0]
                world.processes[able[0]].step()
        except AssertionError as error:
            error.add_note(f"schedule: {done}")
            raise
        finally:
            world.end()
    return len(known), schedules


def _is_known(known: dict[object, list[frozenset[int]]], state: object, asleep: frozenset[int]) -> bool:
    """Whether all that can follow was seen: from this state, with no more processes asleep than now."""
    before = known.setdefault(state, [])
    if any(other <= asleep for other in before):
        return True
    before.append(asleep)
    return False
