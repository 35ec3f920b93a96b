"""What is known of objects that could not be created: why, in which order they belong, and what depends on what."""

import re
from collections.abc import Sequence

import duckdb

from duckback.model.catalog import Catalog, Deferred
from duckback.source import ddl


def reason_of(error: duckdb.Error) -> str:
    """DuckDB's words, in one line."""
    return str(error).splitlines()[0]


def is_external(error: duckdb.Error) -> bool:
    """Whether the object reads files or the network."""
    # With external access off, DuckDB refuses whatever would read a file or an address with this class alone.
    return isinstance(error, duckdb.PermissionException)


def with_dependents(deferred: list[Deferred]) -> list[Deferred]:
    """Call external, too, what failed for want of something external."""
    while True:
        names = [_name(item) for item in deferred if item.is_external]
        found = [item.model_copy(update={"is_external": item.is_external or _lacks(item, names)}) for item in deferred]
        if found == deferred:
            return found
        deferred = found


def _lacks(item: Deferred, names: list[str]) -> bool:
    reason = item.reason.lower().replace('"', "")
    bare = [name.replace('"', "") for name in names]
    return any(f"with name {name} " in reason for name in bare)


def _name(item: Deferred) -> str:
    return item.label.rpartition(".")[2].lower()


def with_comments(catalog: Catalog, deferred: Sequence[Deferred]) -> list[Deferred]:
    """Deferred objects with the statements that comment on them behind those that make them."""
    comments = list(ddl.comments(catalog))
    return [
        item.model_copy(
            update={
                "statements": (
                    *item.statements,
                    *(text for kind, label, text in comments if (kind, label) == (item.kind, item.label)),
                )
            }
        )
        for item in _in_order(deferred)
    ]


def _in_order(deferred: Sequence[Deferred]) -> list[Deferred]:
    """Those that another one names before it, as far as a text tells."""
    waiting, ordered = list(deferred), []
    while waiting:
        free = [one for one in waiting if not any(_names(one, other) for other in waiting if other is not one)]
        ordered += free or waiting
        waiting = [one for one in waiting if free and one not in free]
    return ordered


def _names(one: Deferred, other: Deferred) -> bool:
    return re.search(rf"(?<!\w){re.escape(_name(other))}(?!\w)", one.statements[0].lower()) is not None
