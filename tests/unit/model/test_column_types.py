"""A type is held exactly or refused by name, at any depth."""

import duckdb
import pytest

from duckback.model.column_types import Storage, refused_part, storage_of
from duckback.source.types import parse_type

EXACT = [
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",
    "DOUBLE", "DECIMAL(38,38)", "VARCHAR", "BLOB", "UUID", "DATE", "TIME", "TIME_NS", "TIMESTAMP", "TIMESTAMP_NS",
    "TIMESTAMPTZ", "JSON", "INTEGER[]", "STRUCT(a INTEGER)", "MAP(VARCHAR, INTEGER)",
]  # fmt: skip
CAST_BACK = ["TIMESTAMP_S", "TIMESTAMP_MS", "BIT", "ENUM('a')", "INTEGER[2]"]
REFUSED = ["HUGEINT", "UHUGEINT", "INTERVAL", "TIMETZ", "UNION(a INTEGER, b VARCHAR)"]


@pytest.mark.parametrize("text", EXACT)
def test_parquet_holds_these_as_they_are(text: str) -> None:
    assert storage_of(parse_type(text)) is Storage.AS_IS
    assert refused_part(parse_type(text)) is None


@pytest.mark.parametrize("text", CAST_BACK)
def test_parquet_holds_these_as_another_type_that_is_cast_back(text: str) -> None:
    assert storage_of(parse_type(text)) is Storage.CAST_ON_LOAD
    assert refused_part(parse_type(text)) is None


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize(
    "around", ["{}", "{}[]", "{}[3]", "STRUCT(a INTEGER, b {})", "MAP(VARCHAR, {})", "STRUCT(a MAP(INTEGER, {}[]))[][]"]
)
def test_parquet_would_change_these_at_any_depth(text: str, around: str) -> None:
    part = refused_part(parse_type(around.format(text)))
    assert part is not None
    assert part.sql == str(duckdb.sqltype(text))


def test_a_key_of_a_map_is_looked_at_too() -> None:
    part = refused_part(parse_type("MAP(INTERVAL, INTEGER)"))
    assert part is not None
    assert part.id == "interval"
