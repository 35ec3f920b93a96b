"""Every document that comes from the code: its path, and the function that gives its text."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.fidelity import fidelity

ROOT = Path(__file__).parents[1]

DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/fidelity.md": fidelity,
}
