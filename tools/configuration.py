"""docs/configuration.md: every option, from the models that the configuration is read with."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from duckback.config.load import environment_name, flag_name, option_names
from duckback.config.options import Options, describe, flat, is_switch
from duckback.config.plain import plain
from tools.markdown import code, filled, table

_OF_THE_MACHINE = {
    "state_dir": "`duckback` in the user's state directory (`~/.local/state`)",
    "threads": "the number of CPUs, at most 4",
    "memory_limit": "300 MB a thread",
}
"""Defaults that are computed where Duckback runs, in words."""

_HEADINGS = {
    "s3": "how to speak to S3. Credentials come from the AWS chain and are never options",
    "schedule": "when the daemon does what",
    "daemon": "how the daemon works, for all its databases",
    "hooks": "who is told of the start and the end of each route",
    "retention": "what stays, and for how long ([retention](retention.md))",
    "ledger": "where events go beside the embedded ledger ([the ledger](ledger.md))",
}
_KINDS = {
    "array": "a list",
    "boolean": "`true` or `false`",
    "duration": "a length of time",
    "password": "text, kept secret",
    "path": "a path",
    "string": "text",
    "zoneinfo": "a time zone",
}
"""By format, else by type, of pydantic's schema."""

_MANY = 3


def configuration() -> str:
    """The document."""
    return filled("configuration.md", options="\n\n".join(_sections()))


def _sections() -> Iterator[str]:
    names = option_names()
    yield f"## At the top, or in a `[[database]]`\n\n{_table(name for name in names if '.' not in name)}"
    for heading, meaning in _HEADINGS.items():
        inside = [name for name in names if name.startswith(f"{heading}.")]
        yield f"## `[{heading}]`\n\n{meaning[0].upper()}{meaning[1:]}.\n\n{_table(inside)}"
    left = {name.partition(".")[0] for name in names if "." in name} - _HEADINGS.keys()
    if left:
        raise ValueError(f"a table of the configuration has no heading here: {left}")


def _table(names: Iterable[str]) -> str:
    defaults, schema = flat(plain(Options())), Options.model_json_schema()
    rows = ((_names(name), describe(name), _takes(name, schema), _default(name, defaults)) for name in names)
    return table(("Key, flag, variable", "Meaning", "Takes", "Default"), rows)


def _names(option: str) -> str:
    flag = flag_name(option)
    switch = f"`, `{flag.replace('--', '--no-')}" if is_switch(option) else ""
    return f"`{option.rpartition('.')[2]}`<br>`{flag}{switch}`<br>`{environment_name(option)}`"


def _default(option: str, defaults: Mapping[str, Any]) -> str:
    if _model(option).model_fields[option.rpartition(".")[2]].default_factory is not None:
        return _OF_THE_MACHINE[option]
    value = defaults[option]
    if value is None or (isinstance(value, list) and len(value) > _MANY):
        return ""
    return code(json.dumps(value))


def _takes(option: str, schema: Mapping[str, Any]) -> str:
    field = schema
    for part in option.split("."):
        field = field["properties"][part]
        field = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
    kinds = field.get("anyOf", [field])
    return _words(next({**field, **kind} for kind in kinds if kind.get("type") != "null"))


def _words(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return _either(field["enum"], "or")
    if field["type"] in {"integer", "number"}:
        return _range(field)
    if "enum" in field.get("items", {}):
        return f"a list of {_either(field['items']['enum'], 'and')}"
    return _KINDS[field.get("format", field["type"])]


def _either(choices: list[str], word: str) -> str:
    *first, last = map(code, choices)
    return f"{', '.join(first)} {word} {last}"


def _range(field: Mapping[str, Any]) -> str:
    if "maximum" in field:
        return f"a number from {field['minimum']:,} to {field['maximum']:,}"
    if "minimum" in field:
        return f"a number, {field['minimum']} or more"
    return f"a number above {field['exclusiveMinimum']:g}"


def _model(option: str) -> type[BaseModel]:
    of, _, _ = option.rpartition(".")
    model = Options.model_fields[of].annotation if of else Options
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(option)
    return model
