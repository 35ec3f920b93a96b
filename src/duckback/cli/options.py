"""The options that verbs share: every option of the configuration as a flag, and those of the command line itself."""

import functools
import inspect
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from duckback.api import Duckback
from duckback.audit.view import LedgerView
from duckback.config.load import Loaded, environment_name, flag_name, load, option_names
from duckback.config.options import describe, is_switch
from duckback.errors import UsageError
from duckback.logs import log_to
from duckback.model.progress import Report, unheard

_OWN = {
    "config": Annotated[Path | None, typer.Option("--config", help="The configuration file.")],
    "as_json": Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Log each processor on standard error.")],
}

_OF_THE_DAEMON = ("schedule.", "daemon.", "hooks.")
_ABOUT_THE_DAEMON = {"daemon", "check", "init"}
"""The verbs whose help shows these options; all verbs take them."""


@dataclass(frozen=True)
class Call:
    """What a verb knows beyond its own arguments; `flags` are the options that were given as such."""

    loaded: Loaded
    as_json: bool
    flags: Mapping[str, Any] = field(default_factory=dict)
    verbose: bool = False

    def duckback(self, report: Report = unheard) -> Duckback:
        """The API on the repository that the options name.

        Raises:
            UsageError: they name none.
        """
        options = self.loaded.options
        if options.repo is None:
            raise UsageError("no repository is given", hint="Give --repo: a directory, or s3://bucket/prefix.")
        return Duckback(report=report, **options.model_dump())

    def ledger(self) -> LedgerView:
        """The ledger, for what needs no repository too."""
        return LedgerView(self.loaded.options)


def with_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb, whose first parameter is a `Call`, the flags of every option."""
    signature = inspect.signature(verb, eval_str=True)
    own = list(signature.parameters.values())[1:]
    flags = {name.replace(".", "__"): name for name in option_names()}
    shared = [
        inspect.Parameter(
            word,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_flag(name, hidden=name.startswith(_OF_THE_DAEMON) and verb.__name__ not in _ABOUT_THE_DAEMON),
        )
        for word, name in flags.items()
    ]
    shared += [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None if name == "config" else False, annotation=kind
        )
        for name, kind in _OWN.items()
    ]

    @functools.wraps(verb)
    def command(**values: Any) -> Any:
        verbose = values.pop("verbose")
        as_json, config = values.pop("as_json"), values.pop("config")
        given = {name: values.pop(word) for word, name in flags.items()}
        loaded = load(given, os.environ, file=config, database=values.get("database"))
        if verbose:
            log_to(level=logging.DEBUG, log_format=loaded.options.log_format)
        return verb(Call(loaded, as_json, given, verbose), **values)

    command.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]  # inspect reads it
    return command


def _flag(name: str, *, hidden: bool) -> Any:
    panel = "Options of every verb"
    text = f"{describe(name)} [{environment_name(name)}]"
    kind = bool if is_switch(name) else str
    flag = f"{flag_name(name)}/{flag_name(name).replace('--', '--no-')}" if is_switch(name) else flag_name(name)
    return Annotated[
        kind | None, typer.Option(flag, help=text, rich_help_panel=panel, show_default=False, hidden=hidden)
    ]
