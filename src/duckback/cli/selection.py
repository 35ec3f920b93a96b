"""The options that select objects, for the verbs that take them."""

from typing import Annotated

import typer

from duckback.model.selection import Selection

_PANEL = "Selection (names may hold * and ?)"

Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        help="Only this table or view, schema.name, and what belongs to it; may be repeated.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Schemas = Annotated[
    list[str] | None,
    typer.Option("--schema", help="Only this schema; may be repeated.", rich_help_panel=_PANEL, show_default=False),
]
Excluded = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        help="Not this object, schema.name, of whatever kind; may be repeated.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]


def selection(table: list[str] | None, schema: list[str] | None, exclude: list[str] | None) -> Selection:
    """The selection that the options make together."""
    return Selection(tables=tuple(table or ()), schemas=tuple(schema or ()), exclude=tuple(exclude or ()))
