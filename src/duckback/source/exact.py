"""Values as JSON holds them exactly: numbers where that loses nothing, else text."""

import math
from typing import Any, Final

_AS_THEY_ARE: Final = {
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "FLOAT",
    "DOUBLE",
}


def exact(position: int, kind: str) -> str:
    """The expression for a column's values: blobs as hex digits, all that a JSON number does not hold as text.

    Args:
        position: of the column, counted from 1.
        kind: its type, as DuckDB writes it.
    """
    if kind in _AS_THEY_ARE:
        return f"#{position}"
    return f"lower(hex(#{position}))" if kind == "BLOB" else f"CAST(#{position} AS VARCHAR)"


def finite(value: Any) -> Any:
    """The value, as text where it is a number that JSON has no word for."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
