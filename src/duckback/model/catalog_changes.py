"""What differs between the catalogue that was backed up and the one that was made from it."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from duckback.model.catalog import Catalog, Deferred, Index, Macro, SchemaObject, Sequence, Table, Trigger, View

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
    for kind, field in _KINDS.items():
        expected = {item.key: item for item in getattr(wanted, field) if (kind, item.label) not in missing}
        found = {item.key: item for item in getattr(got, field)}
        yield from _surplus(kind, _labels(expected), _labels(found))
        for key in sorted(expected.keys() & found.keys()) if same_words else ():
            before, after = expected[key], found[key]
            if _shape(before) != _shape(after) and _shape(before, parsed) != _shape(after, parsed):
                yield kind, before.label, f"{_shape(after)} instead of {_shape(before)}"


_Labels = Mapping[tuple[str, ...], str]


def _labels(items: Mapping[tuple[str, ...], SchemaObject]) -> _Labels:
    return {key: item.label for key, item in items.items()}


def _surplus(kind: str, wanted: _Labels, got: _Labels) -> Iterator[tuple[str, str, str]]:
    yield from ((kind, wanted[key], "it is missing") for key in sorted(wanted.keys() - got.keys()))
    yield from ((kind, got[key], "it was not backed up") for key in sorted(got.keys() - wanted.keys()))


def _shape(item: SchemaObject, parsed: Callable[[str], str] = str) -> object:
    """What must be equal: not DuckDB's wording, and not where a sequence once began."""
    match item:
        case Table():
            columns = [_saying(column.model_dump(), parsed) for column in item.columns]
            constraints = sorted(repr(_saying(constraint.model_dump(), parsed)) for constraint in item.constraints)
            return item.comment, columns, constraints, item.sql.count(" COLLATE ")
        case Sequence():
            return item.model_dump(exclude={"start", "last_value"}), item.next_value
        case Macro():
            return item.comment, item.kind, [overload.parameters for overload in item.overloads]
        case View() | Index() | Trigger():
            return item.model_dump(exclude={"sql"})
        case _:
            return item.model_dump()


def _saying(fields: dict[str, object], parsed: Callable[[str], str]) -> dict[str, object]:
    texts = {name: text for name in _EXPRESSIONS if isinstance(text := fields.get(name), str)}
    return fields | {name: parsed(text) for name, text in texts.items()}
