"""What of a database is backed up or restored, and what that leaves out."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from duckback.errors import UsageError
from duckback.model.catalog import Catalog, Frozen, Macro, SchemaObject, Table, UserType

T = TypeVar("T", bound=SchemaObject)


class Selection(Frozen):
    """Which objects to take; nothing given: all.

    Attributes:
        tables: only these tables and views, and what belongs to them: types, and the sequences and macros that
            their definitions name.
        schemas: only what is in these schemas.
        exclude: not these, whatever they are.

    Each is a name, `schema.name` for objects (or the name alone, for one in `main`), and may hold `*` and `?`.
    """

    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def excludes(self, label: str) -> bool:
        """Whether `exclude` names the object of this label."""
        return any(_is_meant(pattern, label) for pattern in self.exclude)

    def takes_schema(self, path: str) -> bool:
        """Whether `schemas`, if given, name the schema of this path."""
        return not self.schemas or any(_matches(pattern, path) for pattern in self.schemas)

    def takes(self, item: SchemaObject) -> bool:
        """Whether neither `schemas` nor `exclude` leave the object out."""
        return self.takes_schema(item.schema_name) and not self.excludes(item.label)

    def names(self, item: SchemaObject) -> bool:
        """Whether `tables`, if given, name it."""
        return not self.tables or any(_is_meant(pattern, item.label) for pattern in self.tables)


EVERYTHING = Selection()


def select(catalog: Catalog, selection: Selection) -> tuple[Catalog, tuple[str, ...]]:
    """The catalogue of what is taken, and by kind and name what is not.

    Raises:
        UsageError: a table or schema is asked for that is not there.
    """
    if selection == EVERYTHING:
        return catalog, ()
    _refuse_unknown(catalog, selection)
    tables = [table for table in catalog.tables if selection.takes(table) and selection.names(table)]
    views = _only(catalog.views, lambda view: selection.takes(view) and selection.names(view))
    if selection.tables and not tables and not views:
        raise UsageError("the selection leaves nothing", hint="Take back an --exclude, or ask for another --table.")
    keys = {table.key for table in tables}
    indexes = _only(catalog.indexes, lambda index: selection.takes(index) and index.beside(index.table) in keys)
    triggers = _only(catalog.triggers, lambda one: selection.takes(one) and one.beside(one.table) in keys)
    texts = [text for table in tables for text in _texts(table)] + [view.sql for view in views]
    named = [*_named(catalog, texts), *_types_in(catalog, tables)]

    def is_taken(item: SchemaObject) -> bool:
        is_asked_for = not selection.tables and selection.takes_schema(item.schema_name)
        return (is_asked_for or item in named) and not selection.excludes(item.label)

    changed: dict[str, tuple[SchemaObject, ...]] = {
        "types": _only(catalog.types, is_taken),
        "sequences": _only(catalog.sequences, is_taken),
        "macros": _only(catalog.macros, is_taken),
        "tables": tuple(_without_foreign_keys(table, keys) for table in tables),
        "views": views,
        "indexes": indexes,
        "triggers": triggers,
    }
    used = _schemas_of(item for items in changed.values() for item in items)
    before = _schemas_of(item for kind in changed for item in getattr(catalog, kind))
    schemas = tuple(
        schema
        for schema in catalog.schemas
        if schema.name == "main"
        or schema.names in used
        or (schema.names not in before and not selection.tables and selection.takes_schema(schema.name))
    )
    narrowed = catalog.model_copy(update={**changed, "schemas": schemas})
    return narrowed, tuple(_left_out(catalog, narrowed))


def _schemas_of(items: Iterable[SchemaObject]) -> set[tuple[str, ...]]:
    """The schemas of objects, and those around them."""
    return {item.path[:depth] for item in items for depth in range(1, len(item.path))}


def _only(items: Iterable[T], is_taken: Callable[[T], bool]) -> tuple[T, ...]:
    return tuple(item for item in items if is_taken(item))


def _refuse_unknown(catalog: Catalog, selection: Selection) -> None:
    labels = [item.label for item in (*catalog.tables, *catalog.views)]
    for pattern in selection.tables:
        if not any(_is_meant(pattern, label) for label in labels):
            raise UsageError(
                f"there is no table {pattern!r}", hint=f"Tables and views that are there: {_shown(labels)}."
            )
    paths = [schema.name for schema in catalog.schemas]
    for pattern in selection.schemas:
        if not any(_matches(pattern, path) for path in paths):
            raise UsageError(f"there is no schema {pattern!r}", hint=f"Schemas that are there: {_shown(paths)}.")


def _shown(names: list[str]) -> str:
    most = 20
    return ", ".join(sorted(names)[:most]) + (" and others" if len(names) > most else "") or "none"


def _is_meant(pattern: str, label: str) -> bool:
    return _matches(pattern, label) or _matches(f"main.{pattern}", label)


def _matches(pattern: str, name: str) -> bool:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    # Names in DuckDB do not tell upper from lower case, in ASCII.
    return re.fullmatch(wild, name, re.IGNORECASE | re.ASCII | re.DOTALL) is not None


def _texts(table: Table) -> Iterator[str]:
    for column in table.columns:
        yield from (text for text in (column.default, column.generated) if text is not None)
    yield from (constraint.expression for constraint in table.constraints if constraint.expression is not None)


def _named(catalog: Catalog, texts: list[str]) -> list[SchemaObject]:
    """The types, sequences and macros that texts name, and those that the named macros name in turn."""
    # Too much does no harm here, too little would.
    waiting: list[SchemaObject] = [*catalog.types, *catalog.sequences, *catalog.macros]
    named: list[SchemaObject] = []
    while True:
        said = "\n".join(texts).lower()
        found = [item for item in waiting if any(word in said for word in _spellings(item.name.lower()))]
        if not found:
            return named
        named += found
        waiting = [item for item in waiting if item not in found]
        texts = [text for item in found if isinstance(item, Macro) for text in _macro_texts(item)]


def _types_in(catalog: Catalog, tables: list[Table]) -> list[UserType]:
    # DuckDB does not keep which type a column was declared with, only what that stands for.
    columns = [column.type for table in tables for column in table.columns]
    return [one for one in catalog.types if any(one.definition in column for column in columns)]


def _spellings(name: str) -> set[str]:
    quoted = name.replace('"', '""')
    return {name, quoted, name.replace("'", "''"), quoted.replace("'", "''")}


def _macro_texts(macro: Macro) -> Iterator[str]:
    for overload in macro.overloads:
        yield overload.definition
        yield from (parameter.default for parameter in overload.parameters if parameter.default is not None)


def _without_foreign_keys(table: Table, keys: set[tuple[str, ...]]) -> Table:
    kept = tuple(c for c in table.constraints if c.referenced_table is None or table.beside(c.referenced_table) in keys)
    return table if len(kept) == len(table.constraints) else table.model_copy(update={"constraints": kept})


_KINDS = {
    "types": "type",
    "sequences": "sequence",
    "macros": "macro",
    "tables": "table",
    "views": "view",
    "indexes": "index",
    "triggers": "trigger",
}


def _left_out(catalog: Catalog, narrowed: Catalog) -> Iterator[str]:
    yield from (f"schema {schema.name}" for schema in catalog.schemas if schema not in narrowed.schemas)
    for kind, word in _KINDS.items():
        there = {item.key for item in getattr(narrowed, kind)}
        yield from (f"{word} {item.label}" for item in getattr(catalog, kind) if item.key not in there)
    whole = {table.key: table for table in catalog.tables}
    for table in narrowed.tables:
        lost = [constraint for constraint in whole[table.key].constraints if constraint not in table.constraints]
        yield from (f"foreign key of {table.label} to {constraint.referenced_table}" for constraint in lost)
