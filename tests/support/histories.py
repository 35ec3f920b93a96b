"""What may happen to a database between two backups, as random SQL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from support.values import LEAVES, Typed

from duckback.source.sql import identifier

Draw = Callable[[st.SearchStrategy[Any]], Any]

_KINDS = {
    "INTEGER",
    "VARCHAR",
    "DOUBLE",
    "DECIMAL(18,3)",
    "TIMESTAMP",
    "HUGEINT",
    "INTERVAL",
    "BLOB",
    "TIMETZ",
    "BOOLEAN",
}
_PLAIN = [leaf for leaf in LEAVES if leaf.sql in _KINDS]
_LISTS = Typed("INTEGER[]", st.sampled_from(["[]::INTEGER[]", "[NULL]::INTEGER[]", "[1, 2]", "[1, NULL]"]))
_NESTED = Typed("INTEGER[][]", st.sampled_from(["[[1], [2]]", "[[1, 2]]", "[[]]::INTEGER[][]", "[NULL]::INTEGER[][]"]))
_STRUCTS = Typed(
    "STRUCT(a DOUBLE, b VARCHAR[])", st.sampled_from(["{'a': 0.0, 'b': []}", "{'a': -0.0::DOUBLE, 'b': NULL}"])
)
_UNIONS = Typed(
    "UNION(n INTEGER, m INTEGER)",
    st.sampled_from(
        ["union_value(n := 1)::UNION(n INTEGER, m INTEGER)", "union_value(m := 1)::UNION(n INTEGER, m INTEGER)"]
    ),
)
TYPES = st.sampled_from([*_PLAIN, _LISTS, _NESTED, _STRUCTS, _UNIONS])
"""Among them those of which `hash()` takes different values for one."""

NAMES = st.sampled_from(["t", "T x", "ü/..", 'a"b'])
_MORE_COLUMNS = ["added", "it's", "Ü"]


@dataclass
class Table:
    """A table as the history knows it: its columns' types by name, and whether it has a key."""

    name: str
    columns: dict[str, Typed]
    has_key: bool = False

    @property
    def sql(self) -> str:
        return identifier(self.name)

    @property
    def create(self) -> str:
        columns = ", ".join(f"{identifier(name)} {of.sql}" for name, of in self.columns.items())
        key = "id BIGINT PRIMARY KEY, " if self.has_key else ""
        return f"CREATE TABLE {self.sql} ({key}updated_at TIMESTAMP, {columns})"


@st.composite
def tables(draw: st.DrawFn, name: str) -> Table:
    columns = {f"c{number}": draw(TYPES) for number in range(draw(st.integers(1, 3)))}
    return Table(name, columns, has_key=draw(st.booleans()))


def _rows(draw: Draw, table: Table) -> str:
    rows = draw(st.lists(st.tuples(*(of.or_null for of in table.columns.values())), min_size=1, max_size=4))
    return ", ".join(f"({', '.join(row)})" for row in rows)


def _key(table: Table) -> str:
    return f"(SELECT coalesce(max(id), 0) FROM {table.sql}) + row_number() OVER (), " if table.has_key else ""


def insert(draw: Draw, table: Table) -> list[str]:
    """A few rows, each perhaps many times."""
    times = draw(st.sampled_from([1, 1, 3, 50]))
    rows = f"(VALUES {_rows(draw, table)}) v, range({times})"
    names = ", ".join(f"v.{name}" for name in (f"col{number}" for number in range(len(table.columns))))
    return [f"INSERT INTO {table.sql} SELECT {_key(table)}now()::TIMESTAMP, {names} FROM {rows}"]


def _some(draw: Draw) -> str:
    return str(
        draw(
            st.sampled_from(
                ["rowid % 7 = 3", "rowid % 2 = 0", "rowid < 45", "rowid >= 80", "rowid = 1", "rowid % 41 = 0"]
            )
        )
    )


def update(draw: Draw, table: Table) -> list[str]:
    """Some rows, with or without a touch of the time."""
    column = draw(st.sampled_from(list(table.columns)))
    value = draw(table.columns[column].or_null)
    touch = draw(st.sampled_from(["", ", updated_at = now()::TIMESTAMP"]))
    return [f"UPDATE {table.sql} SET {identifier(column)} = {value}{touch} WHERE {_some(draw)}"]


def delete(draw: Draw, table: Table) -> list[str]:
    return [f"DELETE FROM {table.sql} WHERE {_some(draw)}"]


def again(draw: Draw, table: Table) -> list[str]:
    """The same rows, deleted and inserted again in one transaction: they have moved to the end."""
    some = _some(draw)
    moved = f"CREATE OR REPLACE TEMP TABLE moved AS FROM {table.sql} WHERE {some}"
    return [moved, f"DELETE FROM {table.sql} WHERE {some}", f"INSERT INTO {table.sql} FROM moved"]


def truncate(_draw: Draw, table: Table) -> list[str]:
    return [f"TRUNCATE {table.sql}"]


def sort(draw: Draw, table: Table) -> list[str]:
    """The same rows in another order: all of them have moved."""
    order = draw(st.sampled_from(["rowid DESC", "hash(rowid)", "rowid + 20"]))
    sorted_rows = f"CREATE OR REPLACE TEMP TABLE moved AS SELECT * FROM {table.sql} ORDER BY {order}"
    return [sorted_rows, f"TRUNCATE {table.sql}", f"INSERT INTO {table.sql} FROM moved"]


def alter(draw: Draw, table: Table) -> list[str]:
    """A column more, or one less, or one of another name."""
    free = [name for name in _MORE_COLUMNS if name not in table.columns]
    column = draw(st.sampled_from(list(table.columns)))
    what = draw(st.sampled_from(["add", "drop", "rename"]))
    if what == "drop" and len(table.columns) > 1:
        del table.columns[column]
        return [f"ALTER TABLE {table.sql} DROP COLUMN {identifier(column)}"]
    if not free:
        return []
    if what == "rename":
        table.columns = {free[0] if name == column else name: of for name, of in table.columns.items()}
        return [f"ALTER TABLE {table.sql} RENAME COLUMN {identifier(column)} TO {identifier(free[0])}"]
    of = draw(TYPES)
    table.columns[free[0]] = of
    # DuckDB 1.5 words the default of a nested type anew each time that it reads it, and the backup refuses it by name.
    is_plain = of.sql in _KINDS
    default = draw(st.sampled_from(["", f" DEFAULT ({draw(of.or_null)})"])) if is_plain else ""
    return [f"ALTER TABLE {table.sql} ADD COLUMN {identifier(free[0])} {of.sql}{default}"]


Operation = Callable[[Draw, Table], list[str]]
OPERATIONS: list[Operation] = [insert, insert, insert, update, update, delete, delete, again, truncate, sort, alter]
"""To one table each."""

ELSEWHERE = [
    "CHECKPOINT",
    "VACUUM",
    "CREATE OR REPLACE VIEW seen AS SELECT 1 AS one",
    "CREATE OR REPLACE VIEW seen AS SELECT 2 AS two",
    "DROP VIEW IF EXISTS seen",
    "CREATE SEQUENCE IF NOT EXISTS numbers START 7",
    "CREATE SEQUENCE IF NOT EXISTS numbers; SELECT nextval('numbers')",
    "DROP SEQUENCE IF EXISTS numbers",
    "CREATE SCHEMA IF NOT EXISTS other; CREATE OR REPLACE TABLE other.t AS FROM range(3)",
    "DROP SCHEMA IF EXISTS other CASCADE",
]
"""To the database."""
