"""DDL written from the catalogue's data: the statements that make an empty database of the same shape."""

from collections.abc import Iterator

from duckback.model.catalog import Catalog, Column, Constraint, Macro, MacroOverload, SchemaObject, Sequence, Table
from duckback.model.names import schema_names
from duckback.source.sql import identifier, literal, qualified


def create_schemas(catalog: Catalog) -> Iterator[str]:
    """One statement a schema but `main`, which is always there."""
    return (f"CREATE SCHEMA {qualified(*schema.names)}" for schema in catalog.schemas if schema.name != "main")


def create_types(catalog: Catalog) -> Iterator[str]:
    """One statement a named type."""
    return (f"CREATE TYPE {qualified(*t.path)} AS {t.definition}" for t in catalog.types)


def create_sequence(sequence: Sequence, *, from_its_start: bool) -> str:
    """The statement that makes a sequence.

    Args:
        sequence: what to make.
        from_its_start: begin where the original began; otherwise where it is now, for releases (before DuckDB 2.0)
            that cannot move a sequence any other way.
    """
    start = sequence.start if from_its_start or sequence.last_value is None else sequence.last_value
    return (
        f"CREATE SEQUENCE {qualified(*sequence.path)} INCREMENT BY {sequence.increment}"
        f" MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} START {start}"
        f" {'CYCLE' if sequence.cycle else 'NO CYCLE'}"
    )


def set_position(sequence: Sequence, *, has_setval: bool) -> str | None:
    """The query that moves a new sequence to its position, None where it was never used."""
    if sequence.last_value is None:
        return None
    name = literal(qualified(*sequence.path))
    return f"SELECT setval({name}, {sequence.last_value})" if has_setval else f"SELECT nextval({name})"


def create_macro(macro: Macro) -> str:
    """The statement that makes a macro with all of its overloads."""
    as_ = "AS TABLE" if macro.kind == "table" else "AS"
    overloads = (f"({_parameters(overload)}) {as_} {_body(macro, overload)}" for overload in macro.overloads)
    return f"CREATE MACRO {qualified(*macro.path)} {', '.join(overloads)}"


def _parameters(overload: MacroOverload) -> str:
    return ", ".join(
        " ".join(part for part in (identifier(p.name), p.type, p.default and f":= {p.default}") if part)
        for p in overload.parameters
    )


def _body(macro: Macro, overload: MacroOverload) -> str:
    # Several definitions are told apart by commas, which a SELECT has too.
    return f"({overload.definition})" if macro.kind == "scalar" or len(macro.overloads) > 1 else overload.definition


def create_table(table: Table) -> str:
    """The statement that makes an empty table with its constraints."""
    parts = [_column(column) for column in table.columns]
    parts += [_constraint(table, constraint) for constraint in table.constraints]
    return f"CREATE TABLE {qualified(*table.path)} ({', '.join(parts)})"


def _column(column: Column) -> str:
    text = f"{identifier(column.name)} {column.type}"
    if column.collation is not None:
        text += f" COLLATE {column.collation}"
    if column.generated is not None:
        return f"{text} GENERATED ALWAYS AS ({column.generated})"
    if column.default is not None:
        text += f" DEFAULT ({column.default})"
    return text + " NOT NULL" if column.not_null else text


def _constraint(table: Table, constraint: Constraint) -> str:
    if constraint.kind == "CHECK":
        return f"CHECK ({constraint.expression})"
    text = f"{constraint.kind} ({', '.join(map(identifier, constraint.columns))})"
    if constraint.referenced_table is None:
        return text
    referenced = qualified(*schema_names(table.schema_name), constraint.referenced_table)
    return f"{text} REFERENCES {referenced} ({', '.join(map(identifier, constraint.referenced_columns))})"


def comments(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """For each comment, the kind and label of the object that it belongs to, and the statement."""
    for kind, word, item, name, text in _comments(catalog):
        if text is not None:
            yield kind, item.label, f"COMMENT ON {word} {qualified(*item.path, *name)} IS {literal(text)}"


def _comments(catalog: Catalog) -> Iterator[tuple[str, str, SchemaObject, tuple[str, ...], str | None]]:
    for table in catalog.tables:
        yield from (("table", "COLUMN", table, (column.name,), column.comment) for column in table.columns)
    for view in catalog.views:
        yield from (("view", "COLUMN", view, (name,), comment) for name, comment in view.column_comments.items())
    for macro in catalog.macros:
        yield "macro", "MACRO TABLE" if macro.kind == "table" else "MACRO", macro, (), macro.comment
    for kind, objects in (
        ("type", catalog.types),
        ("sequence", catalog.sequences),
        ("table", catalog.tables),
        ("view", catalog.views),
        ("index", catalog.indexes),
    ):
        yield from ((kind, kind.upper(), item, (), item.comment) for item in objects)
