"""Which column types a backup holds exactly, and how Parquet stores each; what is not in the table is refused."""

from dataclasses import dataclass
from enum import StrEnum


class Storage(StrEnum):
    """How Parquet holds a type: as it is, or as another type from which a cast restores the same value."""

    AS_IS = "as it is"
    CAST_ON_LOAD = "another type, cast back on load"


@dataclass(frozen=True)
class ColumnType:
    """A DuckDB type as a tree: DuckDB's id of its kind ("bigint", "struct"), its SQL text, and its members by name."""

    id: str
    sql: str
    members: tuple[tuple[str, "ColumnType"], ...] = ()


_STORAGE = {
    "boolean": Storage.AS_IS,
    "tinyint": Storage.AS_IS,
    "smallint": Storage.AS_IS,
    "integer": Storage.AS_IS,
    "bigint": Storage.AS_IS,
    "utinyint": Storage.AS_IS,
    "usmallint": Storage.AS_IS,
    "uinteger": Storage.AS_IS,
    "ubigint": Storage.AS_IS,
    "float": Storage.AS_IS,
    "double": Storage.AS_IS,
    "decimal": Storage.AS_IS,
    "varchar": Storage.AS_IS,
    "blob": Storage.AS_IS,
    "uuid": Storage.AS_IS,
    "date": Storage.AS_IS,
    "time": Storage.AS_IS,
    "time_ns": Storage.AS_IS,
    "timestamp": Storage.AS_IS,
    "timestamp_ns": Storage.AS_IS,
    "timestamp with time zone": Storage.AS_IS,
    "timestamp_s": Storage.CAST_ON_LOAD,
    "timestamp_ms": Storage.CAST_ON_LOAD,
    "bit": Storage.CAST_ON_LOAD,
    "enum": Storage.CAST_ON_LOAD,
    "list": Storage.AS_IS,
    "array": Storage.CAST_ON_LOAD,
    "struct": Storage.AS_IS,
    "map": Storage.AS_IS,
}


def storage_of(column_type: ColumnType) -> Storage | None:
    """How the kind of a type is stored, its members aside; None where it is refused."""
    return _STORAGE.get(column_type.id)


def refused_part(column_type: ColumnType) -> ColumnType | None:
    """The first type, at any depth, that Parquet would change; None where the whole is held exactly."""
    if storage_of(column_type) is None:
        return column_type
    return next((part for _, member in column_type.members if (part := refused_part(member)) is not None), None)
