"""The options that verbs share: every option of the configuration as a flag, and those of the command line itself."""

import functools
import inspect
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from duckback.api import Duckback
from duckback.audit.view import LedgerView
from duckback.config.load import Loaded, environment_name, flag_name, load, option_names
from duckback.config.options import describe, is_switch
from duckback.errors import UsageError
from duckback.model.progress import Report, unheard

_OWN = {
    "config": Annotated[Path | None, typer.Option("--config", help="The configuration file.")],
    "as_json": Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Log each processor on standard error.")],
}


@dataclass(frozen=True)
class Call:
    """What a verb knows beyond its own arguments."""

    loaded: Loaded
    as_json: bool

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
        inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_flag(name))
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
        if values.pop("verbose"):
            _log_to_stderr()
        as_json, config = values.pop("as_json"), values.pop("config")
        given = {name: values.pop(word) for word, name in flags.items()}
        loaded = load(given, os.environ, file=config, database=values.get("database"))
        return verb(Call(loaded, as_json), **values)

    command.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]  # inspect reads it
    return command


def _flag(name: str) -> Any:
    panel = "Options of every verb"
    text = f"{describe(name)} [{environment_name(name)}]"
    kind = bool if is_switch(name) else str
    flag = f"{flag_name(name)}/{flag_name(name).replace('--', '--no-')}" if is_switch(name) else flag_name(name)
    return Annotated[kind | None, typer.Option(flag, help=text, rich_help_panel=panel, show_default=False)]


def _log_to_stderr() -> None:
    import structlog  # noqa: PLC0415 -- it takes longer to import than most verbs to run

    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(colors=False),
            ],
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        )
    )
    logger = logging.getLogger("duckback")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
