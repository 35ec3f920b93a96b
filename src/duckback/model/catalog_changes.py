"""What differs between the catalogue that was backed up and the one that was made from it."""

from collections.abc import Iterable, Iterator, Mapping

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


def changes(
    wanted: Catalog, got: Catalog, deferred: Iterable[Deferred], *, same_words: bool = True
) -> Iterator[tuple[str, str, str]]:
    """Kind, label and change of every object that is missing, more, or another than it was.

    Args:
        wanted: what was backed up.
        got: what was made.
        deferred: what of it was not made.
        same_words: the DuckDB that tells of both words their definitions alike; if not, only what is there is
            compared, not how it is defined.
    """
    yield from _surplus("schema", {s.names: s.name for s in wanted.schemas}, {s.names: s.name for s in got.schemas})
    missing = {(item.kind, item.label) for item in deferred}
    for kind, field in _KINDS.items():
        expected = {item.key: item for item in getattr(wanted, field) if (kind, item.label) not in missing}
        found = {item.key: item for item in getattr(got, field)}
        yield from _surplus(kind, _labels(expected), _labels(found))
        for key in sorted(expected.keys() & found.keys()) if same_words else ():
            if _shape(expected[key]) != _shape(found[key]):
                yield kind, expected[key].label, f"{_shape(found[key])} instead of {_shape(expected[key])}"


_Labels = Mapping[tuple[str, ...], str]


def _labels(items: Mapping[tuple[str, ...], SchemaObject]) -> _Labels:
    return {key: item.label for key, item in items.items()}


def _surplus(kind: str, wanted: _Labels, got: _Labels) -> Iterator[tuple[str, str, str]]:
    yield from ((kind, wanted[key], "it is missing") for key in sorted(wanted.keys() - got.keys()))
    yield from ((kind, got[key], "it was not backed up") for key in sorted(got.keys() - wanted.keys()))


def _shape(item: SchemaObject) -> object:
    """What must be equal: not DuckDB's wording, and not where a sequence once began."""
    match item:
        case Table():
            columns = [column.model_dump() for column in item.columns]
            constraints = sorted(constraint.model_dump_json() for constraint in item.constraints)
            return item.comment, columns, constraints, item.sql.count(" COLLATE ")
        case Sequence():
            return item.model_dump(exclude={"start", "last_value"}), item.next_value
        case Macro():
            return item.comment, item.kind, [overload.parameters for overload in item.overloads]
        case View() | Index() | Trigger():
            return item.model_dump(exclude={"sql"})
        case _:
            return item.model_dump()
