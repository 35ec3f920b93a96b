"""The Python API, and the composition root."""

from duckback.api.client import Duckback, Listed

__all__ = ["Duckback", "Listed"]
