"""docs/exit-codes.md: every exit code, from the tree of errors."""

import inspect
from collections.abc import Iterator

from duckback.errors import PARTIAL, DuckbackError, error_classes
from tools.markdown import code, filled, table


def exit_codes() -> str:
    """The document."""
    return filled("exit-codes.md", codes=_codes(), errors=_errors())


def _codes() -> str:
    meanings = {0: "Success.", PARTIAL: "Success in part; what failed is told, and nothing that succeeded is undone."}
    for one in error_classes().values():
        if one is DuckbackError:
            meanings[one.exit_code] = "Anything that has no code of its own, a defect of Duckback's included."
        else:
            meanings.setdefault(one.exit_code, _meaning(one))
    return table(("Code", "Meaning"), ((str(number), meanings[number]) for number in sorted(meanings)))


def _errors() -> str:
    return table(("Error", "Code", "Another try may do", "Meaning"), _below(DuckbackError, 0))


def _below(one: type[DuckbackError], depth: int) -> Iterator[tuple[str, str, str, str]]:
    indent = "&nbsp;" * 4 * depth
    again = "yes" if one.retryable else ""
    yield f"{indent}{code(one.__name__)}", str(one.exit_code), again, _meaning(one)
    for below in one.__subclasses__():
        yield from _below(below, depth + 1)


def _meaning(one: type[DuckbackError]) -> str:
    return inspect.cleandoc(one.__doc__ or "").partition("\n\n")[0]
