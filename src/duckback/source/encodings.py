"""Which of Parquet's encodings a file may use, so that other programs can read it."""

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from duckback.model.column_types import ColumnType
from duckback.source.sql import identifier

_REACH: Final = 1 << 31
_IS_WIDE: Final = {
    "integer": f"max({{0}})::BIGINT - min({{0}})::BIGINT >= {_REACH}",
    "uinteger": f"max({{0}}) >= {_REACH}",
    # Infinite ones are the ends of 32 bits.
    "date": f"CASE WHEN isfinite(max({{0}})) AND isfinite(min({{0}})) THEN max({{0}}) - min({{0}}) >= {_REACH} "
    "ELSE max({0}) IS NOT NULL END",
}


def parquet_version(con: duckdb.DuckDBPyConnection, types: Mapping[str, ColumnType], sources: Sequence[str]) -> str:
    """The version of Parquet to write, for COPY: "v2", whose encodings are small, wherever others read them.

    DuckDB 1.5 and 2.0 write the difference of neighbours with 33 bits where a column of 32 bits has values that are
    2^31 apart; pyarrow refuses that ("Unexpected end of stream"). Such a file is of version 1, and so is one with
    numbers of 32 bits inside a list or a struct, which are not looked through.

    Args:
        con: reads the sources.
        types: of the columns.
        sources: `relation [WHERE …]` each, with these columns.
    """
    if any(part.id in _IS_WIDE for of in types.values() for _, member in of.members for part in member.parts()):
        return "v1"
    narrow = {identifier(name): _IS_WIDE[of.id] for name, of in types.items() if of.id in _IS_WIDE}
    if not narrow:
        return "v2"
    rows = " UNION ALL ".join(f"(SELECT {', '.join(narrow)} FROM {source})" for source in sources)
    is_wide = " OR ".join(f"coalesce({condition.format(name)}, false)" for name, condition in narrow.items())
    (found,) = con.execute(f"SELECT {is_wide} FROM ({rows})").fetchall()[0]
    return "v1" if found else "v2"
