"""Leases: one process at a time does what one process can do alone. They spare work; safety is elsewhere.

A holder creates `leases/<kind>/<generation>-<beat>.json`, and while it works, a next beat in place of the last one.
Nothing is overwritten. Whoever finds no newer beat for a whole `ttl` of its own monotonic clock takes the lease by
creating the next generation, which one of many can do, and which tells the former holder, if it wakes up, that it
has lost it. The clocks of two machines are never compared.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from pydantic import ValidationError

from duckback.errors import AlreadyExists, IntegrityError, Locked, NotFound, StoreError
from duckback.model.lease import LEASE_KINDS, MAX_LEASE_BYTES, LeaseKind, Owner
from duckback.repository import layout
from duckback.store.base import ListedObject, Store

_held: set[UUID] = set()
"""The leases that this process holds."""


@dataclass(frozen=True)
class Lease:
    """A lease that is there.

    Attributes:
        generation: how manieth holder.
        beat: how often this one has shown itself.
        seen_at: when last, by the store's clock.
    """

    kind: LeaseKind
    generation: int
    beat: int
    seen_at: datetime
    owner: Owner


@dataclass(frozen=True)
class Timing:
    """How leases pass time: seconds between beats, seconds without one until a lease is stale, and the clock."""

    beat: float = 10.0
    ttl: float = 60.0
    poll: float = 1.0
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Held:
    """A lease of ours, while it is."""

    def __init__(self, seen_at: datetime) -> None:
        self.seen_at = seen_at
        self._lost = threading.Event()

    def lose(self) -> None:
        """Somebody else has taken it."""
        self._lost.set()

    def insist(self) -> None:
        """Raises Locked where it was lost."""
        if self._lost.is_set():
            raise Locked("this process was silent for so long that another one took its lease", hint="Run it again.")


@dataclass(frozen=True)
class Leases:
    """The leases of one database.

    Attributes:
        store: of the repository.
        database: whose.
        clock: now, for people to read.
        timing: of beats and staleness.
    """

    store: Store
    database: str
    clock: Callable[[], datetime]
    timing: Timing = field(default_factory=Timing)

    def all(self) -> list[Lease]:
        """The leases that are there, stale ones included."""
        return [lease for kind in LEASE_KINDS if (lease := self._newest(kind)) is not None]

    def is_held_here(self, kind: LeaseKind) -> bool:
        """Whether a process of this machine is known to hold it; of others that cannot be known at once."""
        try:
            lease = self._newest(kind)
        except (IntegrityError, Locked):
            return False
        return lease is not None and _is_of_here(lease.owner) and _is_held(lease.owner)

    def release(self, kind: LeaseKind) -> Lease | None:
        """Take a lease away from whoever holds it; what was there, if that can be read."""
        try:
            found = self._newest(kind)
        except IntegrityError:
            found = None
        self._remove(kind, below=(1 << 30, 0))
        return found

    @contextmanager
    def hold(self, kind: LeaseKind) -> Iterator[Held]:
        """Hold a lease meanwhile.

        Raises:
            Locked: somebody else holds it, and shows itself.
            StoreError: the store fails.
        """
        generation, owner = self._acquire(kind)
        _held.add(owner.run_id)
        try:
            with self._beating(kind, generation, owner) as held:
                yield held
        finally:
            _held.discard(owner.run_id)
            with contextlib.suppress(StoreError):  # it goes stale then: that costs whoever is next a minute
                self._remove(kind, below=(generation + 1, 0))

    @contextmanager
    def _beating(self, kind: LeaseKind, generation: int, owner: Owner) -> Iterator[Held]:
        key = layout.lease_key(self.database, kind, generation, 0)
        held = Held(next(listed.modified for listed in self.store.list(key)))
        stop = threading.Event()
        beats = threading.Thread(target=self._beat, args=(kind, generation, owner, held, stop), daemon=True)
        beats.start()
        try:
            yield held
        finally:
            stop.set()
            beats.join()

    def _acquire(self, kind: LeaseKind) -> tuple[int, Owner]:
        there = self._newest(kind)
        if there is not None and not self._is_stale(there):
            raise self._busy(there)
        generation = there.generation + 1 if there is not None else 1
        owner = Owner(run_id=uuid4(), host=socket.gethostname(), pid=os.getpid(), place=_place(), since=self.clock())
        try:
            self._create(kind, generation, 0, owner)
        except AlreadyExists:
            raise self._busy(self._newest(kind)) from None
        except StoreError:
            # An answer can be lost after the store did what it was asked: what counts is what it holds.
            if not self._is_ours(kind, generation, owner):
                raise
        try:
            self._settle(kind, generation)
        except StoreError:
            with contextlib.suppress(StoreError):  # the failure itself is raised
                self._remove(kind, below=(generation + 1, 0))
            raise
        return generation, owner

    def _settle(self, kind: LeaseKind, generation: int) -> None:
        """Raises Locked where somebody took a later generation at the same time; else removes earlier ones."""
        if max(found for found, _ in self._keys(kind)) > generation:
            self._remove(kind, below=(generation + 1, 0))
            raise self._busy(self._newest(kind))
        self._remove(kind, below=(generation, 0))

    def _busy(self, lease: Lease | None) -> Locked:
        what = "a backup of" if lease is None or lease.kind == "backup" else "a prune of"
        whose = f" (process {lease.owner.pid} on {lease.owner.host})" if lease is not None else ""
        return Locked(
            f"{what} {self.database!r} is under way already{whose}",
            hint="Wait for it; `duckback list --leases` shows it, and `duckback unlock` ends what is no longer alive.",
        )

    def _is_stale(self, lease: Lease) -> bool:
        """Whether its holder is dead, or shows nothing new for a whole ttl while we look."""
        if _is_of_here(lease.owner) and not _is_held(lease.owner):
            return True
        began = self.timing.monotonic()
        while self.timing.monotonic() - began < self.timing.ttl:
            self.timing.sleep(self.timing.poll)
            now = self._newest(lease.kind)
            if now is None:
                return True
            if (now.generation, now.beat) != (lease.generation, lease.beat):
                return False
        return True

    def _beat(self, kind: LeaseKind, generation: int, owner: Owner, held: Held, stop: threading.Event) -> None:
        beat, last = 0, self.timing.monotonic()
        while not stop.wait(self.timing.beat):
            try:
                if max((found for found, _ in self._keys(kind)), default=0) != generation:
                    held.lose()
                    return
                self._create(kind, generation, beat + 1, owner)
                beat, last = beat + 1, self.timing.monotonic()
                self._remove(kind, below=(generation, beat))
            except StoreError:
                # The work goes on; only whoever cannot show itself for a whole ttl must take the lease for lost.
                if self.timing.monotonic() - last > self.timing.ttl:
                    held.lose()
                    return

    def _newest(self, kind: LeaseKind) -> Lease | None:
        for _ in range(3):  # its holder may replace it between listing and reading
            rows = {found[1:]: row for row in self._list(kind) if (found := layout.lease_of(row.key)) is not None}
            if not rows:
                return None
            generation, beat = max(rows)
            row = rows[generation, beat]
            try:
                owner = Owner.model_validate_json(self.store.get(row.key, limit=MAX_LEASE_BYTES))
            except NotFound:
                continue
            except ValidationError as error:
                raise IntegrityError(
                    f"{self.store.uri(row.key)} is damaged", hint="`duckback unlock` removes it."
                ) from error
            return Lease(kind, generation, beat, row.modified, owner)
        raise Locked(f"the lease {kind!r} of {self.database!r} changes hands too quickly", hint="Try again.")

    def _list(self, kind: LeaseKind) -> Iterator[ListedObject]:
        return self.store.list(layout.lease_prefix(self.database, kind))

    def _keys(self, kind: LeaseKind) -> list[tuple[int, int]]:
        found = (layout.lease_of(row.key) for row in self._list(kind))
        return [(lease[1], lease[2]) for lease in found if lease is not None]

    def _create(self, kind: LeaseKind, generation: int, beat: int, owner: Owner) -> None:
        self.store.create(layout.lease_key(self.database, kind, generation, beat), owner.model_dump_json().encode())

    def _is_ours(self, kind: LeaseKind, generation: int, owner: Owner) -> bool:
        key = layout.lease_key(self.database, kind, generation, 0)
        try:
            return self.store.get(key, limit=MAX_LEASE_BYTES) == owner.model_dump_json().encode()
        except StoreError:
            return False

    def _remove(self, kind: LeaseKind, *, below: tuple[int, int]) -> None:
        old = [layout.lease_key(self.database, kind, *found) for found in self._keys(kind) if found < below]
        for failure in self.store.delete(old) if old else ():
            raise StoreError(f"cannot remove {self.store.uri(failure.key)}: {failure.reason}")


def _place() -> str | None:
    """One boot of one machine and one process namespace, where Linux tells; process numbers mean something in it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 -- a magic link, not a path
    except OSError:
        return None
    return f"{boot}/{namespace}"


def _is_of_here(owner: Owner) -> bool:
    """Whether its process is counted where this one is."""
    return owner.place is not None and owner.place == _place()


def _is_held(owner: Owner) -> bool:
    """Whether a process that is counted where this one is still holds it."""
    return owner.run_id in _held if owner.pid == os.getpid() else _is_alive(owner.pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True
