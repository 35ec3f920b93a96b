"""The examples of the documents, as modules."""

import re
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str = "python") -> list[str]:
    """The code blocks of a page below docs/, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def example(page: str, name: str, number: int = 0) -> ModuleType:
    """A code block of a page, run as a module of that name."""
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(blocks(page)[number], f"docs/{page}", "exec"), module.__dict__)
    return module
