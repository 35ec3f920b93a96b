"""What differs between the catalogue that was backed up and the one that was made from it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from duckback.model.catalog import Catalog, Deferred, Index, Macro, SchemaObject, Sequence, Table, Trigger, View

_QUOTED_KIND = re.compile(r'"([A-Z][A-Z0-9_ ]*)"')

_KINDS = {
    "type": "types",
    "sequence": "sequences",
    "macro": "macros",
    "table": "tables",
    "view": "views",
    "index": "indexes",
    "trigger": "triggers",
}

_EXPRESSIONS = ("default", "generated", "expression")
"""The fields of columns and constraints that are SQL."""


def changes(
    wanted: Catalog,
    got: Catalog,
    deferred: Iterable[Deferred],
    *,
    same_words: bool = True,
    parsed: Callable[[str], str] = str,
) -> Iterator[tuple[str, str, str]]:
    """Kind, label and change of every object that is missing, more, or another than it was.

    Args:
        wanted: what was backed up.
        got: what was made.
        deferred: what of it was not made.
        same_words: the DuckDB that tells of both words their definitions alike; if not, only what is there is
            compared, not how it is defined.
        parsed: what a table's expression says, however it is worded; asked where two are not worded alike.
    """
    yield from _surplus("schema", {s.names: s.name for s in wanted.schemas}, {s.names: s.name for s in got.schemas})
    missing = {(item.kind, item.label) for item in deferred}
    own = {item.name.upper() for item in wanted.types}
    for kind, field in _KINDS.items():
        expected = {item.key: item for item in getattr(wanted, field) if (kind, item.label) not in missing}
        found = {item.key: item for item in getattr(got, field)}
        yield from _surplus(kind, _labels(expected), _labels(found))
        for key in sorted(expected.keys() & found.keys()) if same_words else ():
            before, after = _shape(expected[key], own), _shape(found[key], own)
            if before != after and _shape(expected[key], own, parsed) != _shape(found[key], own, parsed):
                yield kind, expected[key].label, f"{after} instead of {before}"


_Labels = Mapping[tuple[str, ...], str]


def _labels(items: Mapping[tuple[str, ...], SchemaObject]) -> _Labels:
    return {key: item.label for key, item in items.items()}


def _surplus(kind: str, wanted: _Labels, got: _Labels) -> Iterator[tuple[str, str, str]]:
    yield from ((kind, wanted[key], "it is missing") for key in sorted(wanted.keys() - got.keys()))
    yield from ((kind, got[key], "it was not backed up") for key in sorted(got.keys() - wanted.keys()))


def _shape(item: SchemaObject, own: set[str], parsed: Callable[[str], str] = str) -> object:
    """What must be equal: not DuckDB's wording, and not where a sequence once began."""
    match item:
        case Table():
            columns = [_saying(column.model_dump(), own, parsed) for column in item.columns]
            constraints = sorted(repr(_saying(one.model_dump(), own, parsed)) for one in item.constraints)
            return item.comment, columns, constraints, item.sql.count(" COLLATE ")
        case Sequence():
            return item.model_dump(exclude={"start", "last_value"}), item.next_value
        case Macro():
            return item.comment, item.kind, [overload.parameters for overload in item.overloads]
        case View() | Index() | Trigger():
            return item.model_dump(exclude={"sql"})
        case _:
            return item.model_dump()


def _saying(fields: dict[str, object], own: set[str], parsed: Callable[[str], str]) -> dict[str, object]:
    texts = {name: text for name in _EXPRESSIONS if isinstance(text := fields.get(name), str)}
    return fields | {name: parsed(_plain(text, own)) for name, text in texts.items()}


def _plain(expression: str, own: set[str]) -> str:
    # DuckDB 1.5 quotes the kind in a cast that it has read (`AS DOUBLE`, then `AS "DOUBLE"`), which means the same
    # where nobody has made a type of that name.
    return _QUOTED_KIND.sub(lambda found: found[0] if found[1] in own else found[1], expression)
