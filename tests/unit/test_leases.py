"""Leases: one holder at a time; who is silent for long enough loses it, on the observer's clock and on no other."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from support.faulty import Fault, FaultyStore

from duckback.errors import IntegrityError, Locked, StoreUnavailable
from duckback.model.lease import Owner
from duckback.repository import layout
from duckback.repository.leases import Leases, Timing
from duckback.store.base import Store
from duckback.store.memory import MemoryStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """Monotonic time that passes only in sleep; `meanwhile` happens in each of them."""

    def __init__(self, meanwhile: Callable[[float], None] = lambda _: None) -> None:
        self.now = 1000.0
        self._meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._meanwhile(self.now)

    def timing(self) -> Timing:
        return Timing(beat=3600, ttl=60, poll=1, monotonic=lambda: self.now, sleep=self.sleep)


def leases(store: Store, timing: Timing | None = None) -> Leases:
    return Leases(store, "hot", lambda: NOW, timing or Clock().timing())


def beat_of_another(store: Store, generation: int, beat: int, **owner: object) -> None:
    """What a process on another machine leaves."""
    there = {"run_id": uuid4(), "host": "elsewhere", "pid": 4711, "place": "another boot", "since": NOW, **owner}
    store.create(
        layout.lease_key("hot", "prune", generation, beat), Owner.model_validate(there).model_dump_json().encode()
    )


def lease_keys(store: Store) -> list[str]:
    return [listed.key for listed in store.list("hot/leases/")]


def test_a_lease_is_there_while_it_is_held_and_says_who_holds_it() -> None:
    store = MemoryStore()
    with leases(store).hold("prune"):
        (lease,) = leases(store).all()
        assert (lease.kind, lease.owner.pid, lease.owner.since) == ("prune", os.getpid(), NOW)
    assert lease_keys(store) == []


def test_it_is_gone_after_a_failure_too() -> None:
    store = MemoryStore()
    with pytest.raises(ZeroDivisionError), leases(store).hold("prune"):
        raise ZeroDivisionError
    assert lease_keys(store) == []


def test_of_many_that_try_at_the_same_time_one_holds_it() -> None:
    store, barrier, inside = MemoryStore(), threading.Barrier(8), threading.Semaphore(1)

    def attempt(_: int) -> bool:
        barrier.wait()
        try:
            with leases(store, Timing(beat=0.02, poll=0.02, ttl=60)).hold("prune"):
                assert inside.acquire(blocking=False)
                done.wait(0.5)
                inside.release()
        except Locked:
            return False
        return True

    done = threading.Event()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_a_holder_that_shows_itself_is_not_disturbed_however_old_its_lease_is() -> None:
    store = MemoryStore()
    beat_of_another(store, 7, 3, since=datetime(1970, 1, 1, tzinfo=UTC))
    clock = Clock(lambda now: beat_of_another(store, 7, 4) if now == 1005 else None)
    with pytest.raises(Locked, match=r"a prune of 'hot' is under way already \(process 4711 on elsewhere\)") as raised:
        with leases(store, clock.timing()).hold("prune"):
            pytest.fail("it was taken from a live holder")
    assert raised.value.exit_code == 11
    assert clock.now == 1005, "it does not wait longer than it has to"


def test_a_holder_that_is_silent_for_the_whole_ttl_loses_it_to_one_of_many() -> None:
    store = MemoryStore()
    beat_of_another(store, 7, 3)
    clock = Clock()
    with leases(store, clock.timing()).hold("prune"):
        assert clock.now >= 1060
        assert [key.rpartition("/")[2] for key in lease_keys(store)] == ["000008-000000.json"]


def test_a_lease_that_is_given_back_while_somebody_looks_is_free() -> None:
    store = MemoryStore()
    beat_of_another(store, 7, 3)

    def give_back(_: float) -> None:
        store.delete([layout.lease_key("hot", "prune", 7, 3)])

    clock = Clock(give_back)
    with leases(store, clock.timing()).hold("prune"):
        assert clock.now == 1001


def test_a_process_of_this_machine_that_is_dead_loses_it_at_once() -> None:
    store, clock = MemoryStore(), Clock()
    with leases(store).hold("prune"):
        ours = leases(store).all()[0].owner
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    beat_of_another(store, 1, 5, place=ours.place, pid=dead.pid)
    with leases(store, clock.timing()).hold("prune"):
        assert clock.now == 1000


def test_who_wakes_up_late_learns_that_the_lease_is_lost() -> None:
    store = MemoryStore()
    timing = Timing(beat=0.01, poll=0.01, ttl=60)
    with leases(store, timing).hold("prune") as held:
        held.insist()
        mine = max(found for key in lease_keys(store) if (found := layout.lease_of(key)))[1]
        beat_of_another(store, mine + 1, 0)
        for _ in range(500):
            if held_is_lost(held.insist):
                break
            threading.Event().wait(0.01)
        else:
            pytest.fail("it never noticed")
    assert [layout.lease_of(key) for key in lease_keys(store)] == [("prune", mine + 1, 0)], "that of the other stays"


def held_is_lost(insist: Callable[[], None]) -> bool:
    try:
        insist()
    except Locked:
        return True
    return False


def test_beats_take_the_place_of_one_another_and_go_on_through_a_short_failure() -> None:
    store = FaultyStore(MemoryStore())
    with leases(store, Timing(beat=0.01, ttl=60)).hold("prune") as held:
        store.faults.append(Fault("create", StoreUnavailable("down"), last=3))
        for _ in range(500):
            (lease,) = leases(store.inner).all()
            if lease.beat >= 3:
                break
            threading.Event().wait(0.01)
        else:
            pytest.fail("no beats")
        held.insist()
        assert len(lease_keys(store.inner)) <= 2


def test_a_holder_that_cannot_show_itself_for_a_whole_ttl_takes_it_for_lost() -> None:
    store = FaultyStore(MemoryStore())
    with leases(store, Timing(beat=0.01, ttl=0.05)).hold("prune") as held:
        store.faults.append(Fault("create", StoreUnavailable("down"), last=10_000))
        for _ in range(500):
            if held_is_lost(held.insist):
                return
            threading.Event().wait(0.01)
    pytest.fail("it never noticed")


def test_kinds_and_databases_do_not_disturb_one_another() -> None:
    store = MemoryStore()
    with leases(store).hold("prune"), leases(store).hold("backup"):
        with replace(leases(store), database="cold").hold("prune"):
            assert len(leases(store).all()) == 2


def test_a_damaged_lease_is_named_and_unlock_removes_it() -> None:
    store = MemoryStore()
    store.create(layout.lease_key("hot", "prune", 1, 0), b"{}")
    with pytest.raises(IntegrityError, match=r"000001-000000\.json is damaged"):
        leases(store).all()
    leases(store).release("prune")
    assert lease_keys(store) == []


def test_unlock_takes_a_lease_from_whoever_holds_it_and_says_who_that_was() -> None:
    store = MemoryStore()
    beat_of_another(store, 7, 3)
    released = leases(store).release("prune")
    assert released is not None
    assert released.owner.host == "elsewhere"
    assert leases(store).release("prune") is None
