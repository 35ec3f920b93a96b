"""docs/cli.md: every verb, from the application that runs them."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from duckback.cli.app import app
from tools.markdown import code, filled, table

_SHARED = "Options of every verb"
_COMMON = {"config", "as_json", "verbose"}


def command_line() -> str:
    """The document."""
    verbs = list(_verbs(get_command(app), "duckback"))
    shared = [option for option in verbs[0][1].params if option.name in _COMMON]
    return filled(
        "cli.md",
        verbs="\n\n".join(_section(name, verb) for name, verb in verbs),
        common=table(("Option", "Meaning"), map(_row, shared)),
    )


def _verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from _verbs(one, f"{name} {word}")


def _section(name: str, verb: Any) -> str:
    own = [p for p in verb.params if getattr(p, "rich_help_panel", None) != _SHARED and p.name not in _COMMON]
    usage = " ".join([name, *(_usage(parameter) for parameter in own), "[OPTIONS]"])
    parts = [f"## {name}", f"```\n{usage}\n```", inspect.cleandoc(verb.help)]
    if own:
        parts.append(table(("Argument or option", "Meaning"), map(_row, own)))
    return "\n\n".join(parts)


def _usage(parameter: Any) -> str:
    text = _name(parameter)
    if parameter.param_type_name == "argument" and parameter.nargs < 0:
        text = f"{text}…"
    if getattr(parameter, "multiple", False):
        return f"[{text}]…"
    return text if parameter.required else f"[{text}]"


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    first = parameter.opts[0]
    return first if parameter.is_flag else f"{first} {_value(parameter)}"


def _value(parameter: Any) -> str:
    return str(parameter.opts[0]).removeprefix("--").upper()


def _row(parameter: Any) -> tuple[str, str]:
    words = [_name(parameter), *(getattr(parameter, "opts", ())[1:] if parameter.param_type_name == "option" else ())]
    default = parameter.default
    shown = f" Default: {code(str(default))}." if default not in {None, False, True} else ""
    return ", ".join(map(code, words)), f"{parameter.help}{shown}"
