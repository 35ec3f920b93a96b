"""duckback init: a configuration file and a systemd unit, to begin with."""

import getpass
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document
from duckback.config.load import FILE_NAME, Loaded, check_text, environment_name
from duckback.config.template import template
from duckback.config.unit import ENVIRONMENT_FILE, unit
from duckback.errors import UsageError

_UNIT_NAME = "duckback.service"
_MODE = 0o600
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@with_options
def init(
    call: Call,
    databases: Annotated[list[Path], typer.Argument(help="The database files to protect.", show_default=False)],
    directory: Annotated[Path, typer.Option("--directory", help="Where to write both files.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write a commented duckback.toml and a systemd unit; options that are given as flags are written into it."""
    options = call.loaded.options
    if options.repo is None:
        raise UsageError("no repository is given", hint="Give --repo: a directory, or s3://bucket/prefix.")
    config, service = (directory.absolute() / name for name in (FILE_NAME, _UNIT_NAME))
    for path in (config, service):
        if path.exists() and not force:
            raise UsageError(f"{path} is there already", hint="Give --force to replace it, or another --directory.")
    loaded, left_out = _without_secrets(_anchored(call.loaded))
    text = template(loaded, databases)
    check_text(text, config)
    directory.mkdir(parents=True, exist_ok=True)
    config.touch(mode=_MODE)
    # One that was there already may be anybody's to read.
    config.chmod(_MODE)
    config.write_text(text, encoding="utf-8")
    text = unit(executable=_executable(), config=config, user=getpass.getuser(), stop_within=options.daemon.stop_within)
    service.write_text(text, encoding="utf-8")
    for name in left_out:
        notice(f"{name} is a secret of the environment, and not written: put it into {ENVIRONMENT_FILE}")
    if call.as_json:
        print_document("init", configuration=str(config), unit=str(service))
        return
    print(f"wrote {config}\nwrote {service}")
    print(f"next: duckback check --config {config}; duckback daemon --config {config}")


def _anchored(loaded: Loaded) -> Loaded:
    """The same with absolute paths: a service is started in another directory, and maybe by another user."""
    options = loaded.options
    repo = str(options.repo)
    found = {
        "repo": repo if _HAS_SCHEME.match(repo) else str(Path(repo).expanduser().absolute()),
        "state_dir": options.state_dir.absolute(),
    }
    places = {"staging_dir": options.staging_dir, "image_dir": options.image_dir}
    found |= {name: place.absolute() for name, place in places.items() if place is not None}
    origins = {**loaded.origins, **dict.fromkeys(found, "init")}
    return replace(loaded, options=options.model_copy(update=found), origins=origins)


def _without_secrets(loaded: Loaded) -> tuple[Loaded, list[str]]:
    """The same without the hooks' addresses that the environment gives, and their variables: they stay there."""
    names = {
        name: f"hooks.{name}"
        for name in ("webhook", "ping")
        if loaded.origins.get(f"hooks.{name}", "").startswith("environment")
    }
    hooks = loaded.options.hooks.model_copy(update=dict.fromkeys(names))
    origins = {**loaded.origins, **dict.fromkeys(names.values(), "default")}
    kept = replace(loaded, options=loaded.options.model_copy(update={"hooks": hooks}), origins=origins)
    return kept, [environment_name(name) for name in names.values()]


def _executable() -> Path:
    """The command itself: beside this interpreter, where an installation puts it."""
    beside = Path(sys.executable).with_name("duckback")
    return beside if beside.exists() else Path(shutil.which("duckback") or sys.argv[0]).absolute()
