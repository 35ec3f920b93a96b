"""The Python API, and the composition root."""

from duckback.api.asking import Answer
from duckback.api.client import Duckback
from duckback.api.listed import Damaged, Listed, Listing, Shown

__all__ = ["Answer", "Damaged", "Duckback", "Listed", "Listing", "Shown"]
