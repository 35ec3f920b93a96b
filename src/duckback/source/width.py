"""How many rows a Parquet row group may hold, so that wide rows do not take more memory than there is.

DuckDB collects a row group for each thread, and more while it waits for its turn in the file; the default of 122,880
rows is 8 MB of narrow rows and hundreds of wide ones.
"""

from collections.abc import Iterator, Sequence

from duckback.model.catalog import Column
from duckback.model.column_types import ColumnType
from duckback.source.fingerprint import CHUNK_ROWS
from duckback.source.sql import identifier, literal
from duckback.source.types import parse_type

ROW_GROUP_BYTES = 24 << 20
"""Bytes of a row group before compression: at 300 MB a thread, ten of them fit."""

_VECTOR_ROWS = 2048
_FIXED_BYTES = 16
_LENGTHS = {"varchar": "strlen({})", "blob": "octet_length({})", "bit": "octet_length({})"}


def width(columns: Sequence[Column]) -> str:
    """An expression that estimates the bytes of a row of these columns."""
    return " + ".join(part for column in columns for part in _width(identifier(column.name), parse_type(column.type)))


def row_group_rows(widest: float) -> int:
    """Rows of a row group of at most ROW_GROUP_BYTES, whole vectors; 122,880, DuckDB's default, for narrow rows.

    Args:
        widest: bytes of a row, on average, in the chunk of the table where it is largest.
    """
    fitting = int(ROW_GROUP_BYTES / max(widest, 1)) // _VECTOR_ROWS * _VECTOR_ROWS
    return max(_VECTOR_ROWS, min(CHUNK_ROWS, fitting))


def _width(value: str, of: ColumnType) -> Iterator[str]:
    """Estimates, to be added up, of the bytes that a value takes."""
    if of.id in _LENGTHS:
        yield f"coalesce({_LENGTHS[of.id].format(value)}, 0)"
    elif of.id in {"list", "array"}:
        yield f"coalesce(len({value}), 0) * {_typical(of)}"
    elif of.id == "map":
        yield f"coalesce(cardinality({value}), 0) * {_typical(of)}"
    elif of.id == "struct":
        for name, member in of.members:
            yield from _width(f"struct_extract({value}, {literal(name)})", member)
    else:
        yield str(_FIXED_BYTES)


def _typical(of: ColumnType) -> int:
    # A guess is enough inside of lists: their own lengths are known.
    return 2 * _FIXED_BYTES * max(1, len(of.members))
