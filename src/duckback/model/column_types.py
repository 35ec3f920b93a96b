"""The table of DuckDB's column types: how a backup stores each, exactly or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Storage(StrEnum):
    """How a Parquet file holds the values of a type so that a restore gives the same ones."""

    AS_IS = "as it is"
    CAST = "as what Parquet makes of it, cast back"
    TEXT = "as text, cast back"
    PARTS = "as a struct of months, days and micros"
    TAGGED = "as a struct of tag and members"
    POSITIONS = "as a struct of _1, _2 and so on"
    WKB = "as well-known binary"
    NATIVE = "as text to look at; the table itself in a DuckDB file beside it"


@dataclass(frozen=True)
class ColumnType:
    """A DuckDB type as a tree.

    Attributes:
        id: DuckDB's id of its kind ("bigint", "struct").
        sql: its SQL text.
        members: the types inside it, by name.
    """

    id: str
    sql: str
    members: tuple[tuple[str, "ColumnType"], ...] = ()

    def parts(self) -> Iterator["ColumnType"]:
        """This type and every type inside it."""
        yield self
        for _, member in self.members:
            yield from member.parts()


STORAGE: dict[str, Storage | None] = {
    "boolean": Storage.AS_IS,
    "tinyint": Storage.AS_IS,
    "smallint": Storage.AS_IS,
    "integer": Storage.AS_IS,
    "bigint": Storage.AS_IS,
    "hugeint": Storage.TEXT,
    "utinyint": Storage.AS_IS,
    "usmallint": Storage.AS_IS,
    "uinteger": Storage.AS_IS,
    "ubigint": Storage.AS_IS,
    "uhugeint": Storage.TEXT,
    "bignum": Storage.TEXT,
    "float": Storage.AS_IS,
    "double": Storage.AS_IS,
    "decimal": Storage.AS_IS,
    "varchar": Storage.AS_IS,
    "blob": Storage.AS_IS,
    "bit": Storage.CAST,
    "uuid": Storage.AS_IS,
    "enum": Storage.CAST,
    "date": Storage.AS_IS,
    "time": Storage.AS_IS,
    "time_ns": Storage.AS_IS,
    "time with time zone": Storage.TEXT,
    "timestamp": Storage.AS_IS,
    "timestamp_s": Storage.TEXT,
    "timestamp_ms": Storage.CAST,
    "timestamp_ns": Storage.AS_IS,
    "timestamp with time zone": Storage.AS_IS,
    "timestamptz_ns": Storage.AS_IS,
    "interval": Storage.PARTS,
    "list": Storage.AS_IS,
    "array": Storage.CAST,
    "struct": Storage.AS_IS,
    "map": Storage.AS_IS,
    "union": Storage.TAGGED,
    "tuple": Storage.POSITIONS,
    "geometry": Storage.WKB,
    "variant": Storage.NATIVE,
    "null": Storage.CAST,
    "type": None,
}
"""By DuckDB's id of the kind, its members aside; None: refused, as is every kind that is not here."""


def storage_of(column_type: ColumnType) -> Storage | None:
    """How the kind of a type is stored, its members aside; None where it is refused."""
    return STORAGE.get(column_type.id)


def storages(column_type: ColumnType) -> str:
    """How a column of the type is stored, at any depth, in words: what is not as it is, where anything is not."""
    found: dict[Storage | None, None] = dict.fromkeys(storage_of(part) for part in column_type.parts())
    changed = [str(storage) for storage in found if storage not in {None, Storage.AS_IS}]
    return "; ".join(changed) or str(Storage.AS_IS)


def is_stored(column_type: ColumnType, *storages: Storage) -> bool:
    """Whether any part of the type, at any depth, is stored in one of these ways."""
    return any(storage_of(part) in storages for part in column_type.parts())


def refused_part(column_type: ColumnType) -> ColumnType | None:
    """The first type, at any depth, that a backup would change; None where it holds the whole exactly."""
    return next((part for part in column_type.parts() if storage_of(part) is None), None)
