"""The schema inventory: every object of a database but its rows, as data from which DDL is written."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from duckback.model.names import schema_names, schema_path


class Frozen(BaseModel):
    """A strict, immutable record: unknown fields and values of another type are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _path(text: str) -> str:
    if schema_path(schema_names(text)) != text:
        raise ValueError(f"{text!r} is not how the path of a schema is written")
    return text


SchemaPath = Annotated[str, AfterValidator(_path)]
"""A schema's name, or its path where it lies in others, as `duckback.model.names` writes it."""


_NUMBERS = 1 << 63

Number = Annotated[int, Field(ge=-_NUMBERS, lt=_NUMBERS)]
"""What a BIGINT holds."""


class SchemaObject(Frozen):
    """Anything that lives in a schema under a name."""

    schema_name: SchemaPath
    name: str
    comment: str | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The names on the way to it, its own the last."""
        return (*schema_names(self.schema_name), self.name)

    @property
    def key(self) -> tuple[str, ...]:
        """What no other object of its kind has; DuckDB does not tell upper from lower case in ASCII."""
        return tuple(map(_folded, self.path))

    @property
    def label(self) -> str:
        """`schema.name` as people write it, unquoted."""
        return f"{self.schema_name}.{self.name}"

    def beside(self, name: str) -> tuple[str, ...]:
        """The key of a table of that name in the same schema."""
        return tuple(map(_folded, (*self.path[:-1], name)))


def _folded(name: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


class Schema(Frozen):
    """A schema; `main` is always there. One in another comes after it."""

    name: SchemaPath
    comment: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names on the way to it, its own the last."""
        return schema_names(self.name)


class UserType(SchemaObject):
    """A named type; `definition` is the SQL of the type that it stands for."""

    definition: str


class Sequence(SchemaObject):
    """A sequence and its position; `last_value` is None until its first use.

    DuckDB itself forgets where a sequence began: after a checkpoint and a new start, `start` is its next value.
    """

    start: Number
    minimum: Number
    maximum: Number
    increment: Number
    cycle: bool
    last_value: Number | None

    @property
    def next_value(self) -> int | None:
        """What it gives next; None: it is exhausted."""
        if self.last_value is None:
            return None if self._is_last_number(self.start) else self.start
        following = self.last_value + self.increment
        if self.minimum <= following <= self.maximum:
            return None if self._is_last_number(following) else following
        return self._first if self.cycle else None

    def giving(self, next_value: int | None) -> "Sequence":
        """The same sequence at the position from which it gives that value next, or is exhausted."""
        start = min(max(self.start, self.minimum), self.maximum)
        if self.next_value == next_value:
            return self.model_copy(update={"start": start})
        if next_value is None:
            last = self.maximum if self.increment > 0 else self.minimum
            if self._is_last_number(last):
                return self.model_copy(update={"start": last, "last_value": None})
            return self.model_copy(update={"start": start, "last_value": last})
        return self.model_copy(update={"start": next_value, "last_value": None})

    def _is_last_number(self, value: int) -> bool:
        # DuckDB computes the number after the one that it gives, and refuses where 64 bits do not hold that.
        return not self.cycle and not -_NUMBERS <= value + self.increment < _NUMBERS

    @property
    def _first(self) -> int:
        return self.minimum if self.increment > 0 else self.maximum


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


class MacroParameter(Frozen):
    """A parameter of a macro; `type` is None where it takes any, `default` where it must be given."""

    name: str
    type: str | None = None
    default: str | None = None


class MacroOverload(Frozen):
    """One of a macro's definitions, which its arguments choose between."""

    parameters: tuple[MacroParameter, ...]
    definition: str


class Macro(SchemaObject):
    """A macro, one that gives a value or one that gives a table."""

    kind: Literal["scalar", "table"]
    overloads: tuple[MacroOverload, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Two of one name may be there, one of each kind."""
        return (*super().key, self.kind)


class Trigger(SchemaObject):
    """A trigger, as DuckDB's own CREATE TRIGGER statement."""

    table: str
    sql: str

    @property
    def key(self) -> tuple[str, ...]:
        """Each table may have one of that name."""
        return (*super().key, *self.beside(self.table))


class Deferred(Frozen):
    """An object that could not be created again.

    Attributes:
        kind: what it is ("view").
        label: its schema and name.
        statements: what makes it, its comments too.
        reason: why it failed.
        is_external: because it reads files or the network, which the statements of a backup may not do.
    """

    kind: str
    label: str
    statements: tuple[str, ...]
    reason: str
    is_external: bool


class Catalog(Frozen):
    """Everything; tables come after those that their foreign keys refer to.

    Attributes:
        name: what the database itself is called in SQL, as views may call it.
    """

    name: str = "source"
    schemas: tuple[Schema, ...] = ()
    types: tuple[UserType, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    macros: tuple[Macro, ...] = ()
    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()

    @property
    def schema_names(self) -> set[str]:
        """Every name on the path of a schema."""
        return {name for schema in self.schemas for name in schema.names}
