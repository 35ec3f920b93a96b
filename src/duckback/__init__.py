"""Duckback: scheduled, proven, queryable backups of DuckDB databases."""

from typing import TYPE_CHECKING, Any

from duckback.errors import DuckbackError

if TYPE_CHECKING:
    from duckback.api import Duckback

__all__ = ["Duckback", "DuckbackError"]


def __getattr__(name: str) -> Any:
    # The command line must answer Ctrl-C in order before the second that all imports take is over.
    if name == "Duckback":
        from duckback.api import Duckback  # noqa: PLC0415 -- as above

        return Duckback
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
