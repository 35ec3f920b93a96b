"""The configuration file that `duckback init` writes: every option, with its meaning and its default."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from duckback.config.load import Loaded
from duckback.config.options import describe, flat
from duckback.config.plain import plain

_WIDTH = 110
_HEAD = """\
# Duckback's configuration. `duckback daemon --config THIS` protects every [[database]] below.
# An option in a [[database]], or in its tables, such as [database.schedule], counts for that database alone.
# What begins with "# " and a name shows a default. A flag or a variable DUCKBACK_… wins over this file;
# `duckback config show` tells where each value comes from.
"""


def template(loaded: Loaded, databases: Sequence[Path]) -> str:
    """A configuration file.

    Args:
        loaded: the options; those that were given are written, the others are comments.
        databases: the database files to protect.
    """
    values = flat(plain(loaded.options))
    top = {name: value for name, value in values.items() if "." not in name and name != "name"}
    tables: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        table, _, key = name.rpartition(".")
        if table:
            tables.setdefault(table, {})[key] = value
    parts = [_HEAD, "\n".join(_lines(top, "", loaded.origins))]
    parts += [f"[{table}]\n" + "\n".join(_lines(keys, f"{table}.", loaded.origins)) for table, keys in tables.items()]
    parts += [f"[[database]]\nname = {_value(path.stem)}\npath = {_value(str(path.absolute()))}" for path in databases]
    return "\n\n".join(parts) + "\n"


def _lines(options: Mapping[str, Any], prefix: str, origins: Mapping[str, str]) -> Iterator[str]:
    for key, value in options.items():
        option = f"{prefix}{key}"
        yield from textwrap.wrap(describe(option), _WIDTH, initial_indent="## ", subsequent_indent="## ")
        is_given = origins.get(option, "default") != "default"
        shown = '"…"' if value is None else _value(value)
        yield f"{'' if is_given else '# '}{key} = {shown}"


def _value(value: Any) -> str:
    """A value in TOML; its strings, numbers, truths and lists are those of JSON."""
    return json.dumps(value, ensure_ascii=False)
