"""duckback check: a Nagios plugin over the checks of the Python API."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from duckback.api import Duckback
from duckback.cli.options import Call, with_options
from duckback.cli.output import document, print_document
from duckback.config.load import Loaded, load_all
from duckback.errors import DuckbackError, UsageError
from duckback.model.checks import Checked, Status, worst


@with_options
def check(
    call: Call,
    database: Annotated[
        Path | None, typer.Argument(help="The database file; default: every database of the configuration file.")
    ] = None,
) -> int:
    """Check whether backups can be taken and the newest is young enough: 0 ok, 1 warning, 2 critical, 3 unknown."""
    chosen = _chosen(call, database)
    file = call.loaded.file
    what = f"{file} is valid" if file is not None else "valid; there is no configuration file"
    results = [Checked("configuration", Status.OK, what)]
    for one in chosen:
        label = f"{one.options.name}: " if len(chosen) > 1 else ""
        results += [replace(each, name=f"{label}{each.name}") for each in _check(one)]
    _print(results, as_json=call.as_json)
    return int(worst(results))


def _chosen(call: Call, database: Path | None) -> list[Loaded]:
    loaded = call.loaded
    if database is None and loaded.file is not None and loaded.options.name is None:
        return load_all(call.flags, os.environ, file=loaded.file)
    if loaded.options.repo is None:
        raise UsageError("no repository is given", hint="Give --repo, or a configuration file with databases.")
    return [replace(loaded, database=database or loaded.database)]


def _check(one: Loaded) -> list[Checked]:
    duckback = Duckback(**one.options.model_dump())
    return duckback.health.check(one.database, name=one.options.name)


def _print(results: list[Checked], *, as_json: bool) -> None:
    status = worst(results)
    if as_json:
        checks = [{"name": one.name, "status": one.status.word, "message": one.message} for one in results]
        print_document("check", status=status.word, checks=checks)
        return
    told = [one for one in results if one.status is status]
    summary = "; ".join(f"{one.name}: {one.message}" for one in told) if status else "all is well"
    measured = " ".join(f"'{one.name} {label}'={value}" for one in results for label, value in one.measured)
    # A Nagios plugin's first line: the state, why, and the numbers for a graph.
    print(_one_line(f"DUCKBACK {status.name} - {summary} | {measured}"))
    for one in results:
        print(_one_line(f"{one.status.name} {one.name}: {one.message}"))


def unknown(error: DuckbackError, *, as_json: bool) -> int:
    """Say that nothing could be checked; 3, which tells Nagios so."""
    if as_json:
        failed = {"name": "configuration", "status": Status.UNKNOWN.word, "message": error.message}
        print(json.dumps(document("check", status=Status.UNKNOWN.word, checks=[failed])))
    else:
        print(_one_line(f"DUCKBACK UNKNOWN - {error.message}"))
    return int(Status.UNKNOWN)


def _one_line(text: str) -> str:
    return " ".join(text.split())
