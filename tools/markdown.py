"""Pieces of Markdown, and the templates that they go into."""

from collections.abc import Iterable, Sequence
from pathlib import Path

_TEMPLATES = Path(__file__).parent / "templates"


def filled(template: str, **parts: str) -> str:
    """A template of `tools/templates` with its `{name}`s replaced.

    Raises:
        ValueError: it has no such name.
    """
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    for name, part in parts.items():
        if f"{{{name}}}" not in text:
            raise ValueError(f"{template} has no {{{name}}}")
        text = text.replace(f"{{{name}}}", part)
    return text


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown."""
    body = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join([f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}", *body])


def code(text: str) -> str:
    """Text as code, also where it holds backticks."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
