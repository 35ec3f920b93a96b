"""Every order in which the steps of backups, prunes and restores can fall: no backup that counts lacks an object."""

import os
from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name
from typing import Protocol

import pytest
from support.interleave import Serial, Store, World, explore, forgetful
from support.writers import Book, assert_everything_adds_up, backup, lacking, prune, restore

from duckback.errors import Withdrawn
from duckback.store.memory import MemoryStore


class Act(Protocol):
    """What a process does."""

    def __call__(self, store: Store, book: Book) -> object: ...


def a_backup(number: int, *, full: bool = False) -> Act:
    return lambda store, book: backup(store, book, number, full=full)


def a_prune(store: Store, book: Book) -> object:
    return prune(store, book)


def a_restore(store: Store, book: Book) -> object:
    return restore(store)


def one_after_the_other(*acts: Act) -> Act:
    """What one process does."""
    return lambda store, book: [act(store, book) for act in acts]


def a_world(before: tuple[Act, ...], acts: tuple[Act, ...], *, within_grace: bool = False) -> Callable[[], World]:
    """Some backups are there; then everybody begins at once.

    Where it is not within its grace period, what one uploads is an orphan to the others until it is committed.
    """

    def make() -> World:
        world, book = World(MemoryStore()), Book()
        world.notes["book"] = book
        for act in before:
            act(world.store, book)  # type: ignore[arg-type]  # nobody else is there to wait for
        for act in acts:
            world.add(partial(act, book=book), objects_are_new=within_grace)
        return world

    return make


def each(world: World) -> None:
    """Backups whose commit has returned have their objects, unless they are tombstoned."""
    assert lacking(world.store, set(world.notes["book"].completed)) == []


def last(world: World) -> None:
    for process in world.processes:
        if process.error is not None and not isinstance(process.error, Withdrawn):
            raise AssertionError(repr(process.error))
    each(world)
    assert_everything_adds_up(world.store, world.notes["book"])


RETURNING = (
    *(f"deletion.Deletion.{name}" for name in ("look", "going", "_referred", "decide", "_decide", "_create", "finish")),
    "deletion.Deletion.at_risk",
    *(f"cleanup.{name}" for name in ("find_orphans", "read_pins")),
    "summaries.Summaries.read",
    "commit._pruned",
    *(f"repository.{name}" for name in ("tombstoned", "Repository.backups")),
)
"""What keeps nothing but what it returns: there is no cache here."""

REPORTING = ("cleanup.Cleanup._entomb", "cleanup.Cleanup._finish")
"""The same, and what these return is only reported."""

OUR_OWN = ("look", "find_parent", "problem_with", "basis", "newest")


@pytest.fixture(autouse=True)
def _as_in_these_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duckback.repository.stones.ThreadPoolExecutor", Serial)
    for name in (*RETURNING, *REPORTING):
        forget(f"duckback.repository.{name}", monkeypatch, of_all=name in REPORTING)
    for name in OUR_OWN:
        forget(f"support.writers.{name}", monkeypatch)


def forget(name: str, monkeypatch: pytest.MonkeyPatch, *, of_all: bool = False) -> None:
    where, _, attribute = name.rpartition(".")
    monkeypatch.setattr(name, forgetful(getattr(resolve_name(where), attribute), of_all=of_all))


ONE = (a_backup(1, full=True),)
TWO = (*ONE, a_backup(3, full=True))
RENEWED = one_after_the_other(a_backup(3, full=True), a_prune)
"""What others may rely on at this moment goes."""

SOAK = "DUCKBACK_SOAK_ORDERS" in os.environ


@pytest.mark.parametrize(
    ("before", "acts"),
    [
        pytest.param(ONE, (RENEWED, a_restore), id="full-and-prune, restore"),
        pytest.param(TWO, (a_prune, a_prune), id="prune, prune"),
        pytest.param(ONE, (RENEWED, a_backup(4)), id="full-and-prune, incremental"),
    ],
)
def test_no_backup_lacks_an_object_in_any_order_of_two(before: tuple[Act, ...], acts: tuple[Act, ...]) -> None:
    states, _ = explore(a_world(before, acts), each, last)
    assert states > 100


FULL_PRUNE_INCREMENTAL = (a_backup(3, full=True), a_prune, a_backup(4))


def test_no_backup_lacks_an_object_in_any_order_of_three() -> None:
    states, _ = explore(a_world(ONE, FULL_PRUNE_INCREMENTAL, within_grace=True), each, last)
    assert states > 4_000


@pytest.mark.skipif(not SOAK, reason="`make soak` runs it")
@pytest.mark.timeout(14_400)
def test_no_backup_lacks_an_object_in_any_order_of_four() -> None:
    world = a_world(ONE, (*FULL_PRUNE_INCREMENTAL, a_restore), within_grace=True)
    states, schedules = explore(world, each, last)
    print(f"{states:,} states, {schedules:,} schedules")


def prune_but_two(store: Store, book: Book) -> object:
    return prune(store, book, keep=2)


@pytest.mark.parametrize(
    ("what", "instead", "before", "acts"),
    [
        pytest.param(
            "duckback.repository.commit._pruned",
            lambda *_: None,
            ONE,
            (RENEWED, a_backup(4)),
            id="a commit that looks for no tombstone",
        ),
        pytest.param(
            "duckback.repository.deletion.Deletion._referred",
            lambda *_: set(),
            (*ONE, a_backup(2), a_backup(3, full=True)),
            (prune_but_two,),
            id="a plan that looks at no manifest",
        ),
    ],
)
def test_these_tests_find_a_protocol_that_is_wrong(
    *,
    what: str,
    instead: Callable[..., object],
    before: tuple[Act, ...],
    acts: tuple[Act, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(what, instead)
    with pytest.raises(AssertionError):
        explore(a_world(before, acts), each, last)
