"""The schema inventory: every object of a database but its rows, as data from which DDL is written."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A strict, immutable record: unknown fields and values of another type are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SchemaObject(Frozen):
    """Anything that lives in a schema under a name."""

    schema_name: str
    name: str
    comment: str | None = None

    @property
    def label(self) -> str:
        """`schema.name` as people write it, unquoted."""
        return f"{self.schema_name}.{self.name}"


class Schema(Frozen):
    """A schema; `main` is always there."""

    name: str
    comment: str | None = None


class UserType(SchemaObject):
    """A named type; `definition` is the SQL of the type that it stands for."""

    definition: str


class Sequence(SchemaObject):
    """A sequence and its position; `last_value` is None until its first use."""

    start: int
    minimum: int
    maximum: int
    increment: int
    cycle: bool
    last_value: int | None


class Column(Frozen):
    """A column; a `generated` one has its expression and no stored values."""

    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    generated: str | None = None
    collation: str | None = None
    comment: str | None = None


class Constraint(Frozen):
    """A table constraint but NOT NULL, which its column carries."""

    kind: Literal["PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY"]
    columns: tuple[str, ...] = ()
    expression: str | None = None
    referenced_table: str | None = None
    referenced_columns: tuple[str, ...] = ()


class Table(SchemaObject):
    """A table, structured; `sql` is DuckDB's own text of it, to compare with and to read, never to run."""

    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    sql: str

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that have values of their own."""
        return tuple(column for column in self.columns if column.generated is None)


class View(SchemaObject):
    """A view, as DuckDB's own CREATE VIEW statement."""

    sql: str
    column_comments: dict[str, str] = {}


class Index(SchemaObject):
    """An index that CREATE INDEX made (those of constraints belong to them)."""

    table: str
    sql: str


class Catalog(Frozen):
    """Everything, each kind in an order in which it can be created."""

    schemas: tuple[Schema, ...] = ()
    types: tuple[UserType, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()
    indexes: tuple[Index, ...] = ()
