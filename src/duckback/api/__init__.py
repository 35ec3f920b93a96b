"""The Python API, and the composition root."""

from duckback.api.asking import Answer
from duckback.api.client import Duckback
from duckback.api.listed import Listed, Shown

__all__ = ["Answer", "Duckback", "Listed", "Shown"]
