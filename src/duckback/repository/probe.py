"""Asking the store whether it holds an object as its manifest says."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from duckback.errors import NotFound
from duckback.model.manifest import ObjectRef
from duckback.store.base import Store

_PROBES = 8


def problem_with(store: Store, ref: ObjectRef, *, known: bool = False) -> str | None:
    """What is wrong with an object by the store's own answer: presence, size, checksum; None: nothing.

    Args:
        store: that should hold it.
        ref: as the manifest has it.
        known: as of `Store.head`.

    Raises:
        StoreError: it does not answer.
    """
    try:
        held = store.head(ref.key, known=known)
    except NotFound:
        return "missing"
    if held.size != ref.size:
        return f"has {held.size} bytes instead of {ref.size}"
    if held.sha256 is None and held.composite is None:
        return "the store answers no checksum for it"
    same = held.sha256 == ref.sha256 if held.sha256 is not None else held.composite == ref.composite
    return None if same else "its checksum is not the recorded one"


def problems_with(store: Store, refs: Iterable[ObjectRef]) -> dict[str, str]:
    """By key, what is wrong with these objects; without those that are sound, or were and are untouched since.

    Raises:
        StoreError: the store does not answer.
    """
    unique = list({ref.key: ref for ref in refs}.values())
    with ThreadPoolExecutor(_PROBES) as pool:
        found = zip(unique, pool.map(lambda ref: problem_with(store, ref, known=True), unique), strict=True)
        return {ref.key: problem for ref, problem in found if problem is not None}
