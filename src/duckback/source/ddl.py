"""DDL written from the catalogue's data: the statements that make an empty database of the same shape."""

from collections.abc import Iterator

from duckback.model.catalog import Catalog, Column, Constraint, Sequence, Table
from duckback.source.sql import identifier, literal, qualified


def create_schemas(catalog: Catalog) -> Iterator[str]:
    """One statement a schema but `main`, which is always there."""
    return (f"CREATE SCHEMA {identifier(schema.name)}" for schema in catalog.schemas if schema.name != "main")


def create_types(catalog: Catalog) -> Iterator[str]:
    """One statement a named type."""
    return (f"CREATE TYPE {qualified(t.schema_name, t.name)} AS {t.definition}" for t in catalog.types)


def create_sequence(sequence: Sequence, *, position_follows: bool) -> str:
    """The statement that makes a sequence.

    Args:
        sequence: what to make.
        position_follows: `setval` will set its position; otherwise (DuckDB before 2.0 has none) the sequence starts
            at what would have been its next value.
    """
    start = sequence.start
    if sequence.last_value is not None and not position_follows:
        start = sequence.last_value + sequence.increment
        if not sequence.minimum <= start <= sequence.maximum:
            start = sequence.minimum if sequence.increment > 0 else sequence.maximum
    return (
        f"CREATE SEQUENCE {qualified(sequence.schema_name, sequence.name)} INCREMENT BY {sequence.increment}"
        f" MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} START {start}"
        f" {'CYCLE' if sequence.cycle else 'NO CYCLE'}"
    )


def set_positions(catalog: Catalog) -> Iterator[str]:
    """One statement for each sequence that has been used."""
    for sequence in catalog.sequences:
        if sequence.last_value is not None:
            name = literal(qualified(sequence.schema_name, sequence.name))
            yield f"SELECT setval({name}, {sequence.last_value})"


def create_table(table: Table) -> str:
    """The statement that makes an empty table with its constraints."""
    parts = [_column(column) for column in table.columns]
    parts += [_constraint(table, constraint) for constraint in table.constraints]
    return f"CREATE TABLE {qualified(table.schema_name, table.name)} ({', '.join(parts)})"


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
    referenced = qualified(table.schema_name, constraint.referenced_table)
    return f"{text} REFERENCES {referenced} ({', '.join(map(identifier, constraint.referenced_columns))})"


def comments(catalog: Catalog) -> Iterator[str]:
    """One statement for each comment."""
    for table in catalog.tables:
        for column in table.columns:
            yield from _comment("COLUMN", (table.schema_name, table.name, column.name), column.comment)
    for view in catalog.views:
        for name, comment in view.column_comments.items():
            yield from _comment("COLUMN", (view.schema_name, view.name, name), comment)
    for schema in catalog.schemas:
        yield from _comment("SCHEMA", (schema.name,), schema.comment)
    kinds = {
        "TYPE": catalog.types,
        "SEQUENCE": catalog.sequences,
        "TABLE": catalog.tables,
        "VIEW": catalog.views,
        "INDEX": catalog.indexes,
    }
    for kind, objects in kinds.items():
        for item in objects:
            yield from _comment(kind, (item.schema_name, item.name), item.comment)


def _comment(kind: str, names: tuple[str, ...], text: str | None) -> Iterator[str]:
    if text is not None:
        yield f"COMMENT ON {kind} {qualified(*names)} IS {literal(text)}"
