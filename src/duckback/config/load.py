"""Reading the layers of the configuration and joining them: flag over environment over file over default."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ValidationError

from duckback.config.options import Options, flat
from duckback.errors import UsageError

FILE_NAME = "duckback.toml"
_PREFIX = "DUCKBACK_"


@dataclass(frozen=True)
class Loaded:
    """The options of a run, and by dotted name where each value came from; `database` is the file, where one says."""

    options: Options
    origins: Mapping[str, str]
    file: Path | None
    database: Path | None = None


def option_names(model: type[BaseModel] = Options, prefix: str = "") -> list[str]:
    """Every option by its dotted name, in the order of their definition."""
    names: list[str] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names += option_names(inner, f"{prefix}{name}.")
        else:
            names.append(f"{prefix}{name}")
    return names


def environment_name(option: str) -> str:
    """The variable that sets an option: `s3.endpoint_url` is set by DUCKBACK_S3_ENDPOINT_URL.

    `retention.keep_within` is set by DUCKBACK_KEEP_WITHIN, `ledger.tigerbeetle_addresses` by
    DUCKBACK_TIGERBEETLE_ADDRESSES: names that say enough go without their table.
    """
    return f"{_PREFIX}{_word(option, '_')}".upper()


def flag_name(option: str) -> str:
    """The flag that sets an option: `retention.keep_within` is set by --keep-within, `s3.sse` by --s3-sse."""
    return f"--{_word(option, '-')}"


def _word(option: str, joint: str) -> str:
    short = option.removeprefix("retention.").replace("ledger.tigerbeetle", "tigerbeetle")
    return short.replace(".", joint).replace("_", joint)


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str], *, file: Path | None = None, database: Path | None = None
) -> Loaded:
    """Join the layers.

    Args:
        flags: option → value, for the options that were given (None counts as not given).
        environment: the process's.
        file: the configuration file; None: ./duckback.toml, then the user's configuration directory, if there.
        database: the file to be backed up, which selects the `[[database]]` table with that path.

    Raises:
        UsageError: an unknown key (with the nearest known one), a bad value, or a file that cannot be read.
    """
    path = _find(file)
    from_file = _select(_read(path), flags.get("name"), database, path) if path else {}
    selected = from_file.pop("path", None)
    loaded = _joined(flags, environment, from_file, path)
    return replace(loaded, database=Path(selected).absolute() if isinstance(selected, str) else None)


def load_all(flags: Mapping[str, Any], environment: Mapping[str, str], *, file: Path | None = None) -> list[Loaded]:
    """Join the layers for each `[[database]]` of the configuration file, in its order; each has its name and its path.

    Raises:
        UsageError: as `load`; or there is no file, a database without a path, or two of one name in one repository.
    """
    path = _find(file)
    if path is None:
        raise UsageError(
            "there is no configuration file", hint=f"Write one with `duckback init`, or give --config ({FILE_NAME})."
        )
    return _all(flags, environment, _read(path), path)


def check_text(text: str, path: Path) -> None:
    """Raise what `load_all` would for a file of that text at that place, before there is one."""
    _all({}, {}, tomllib.loads(text), path)


def _all(
    flags: Mapping[str, Any], environment: Mapping[str, str], document: dict[str, Any], path: Path
) -> list[Loaded]:
    shared, entries = _tables(document, path)
    found = [_one(flags, environment, {**shared, **entry}, path) for entry in entries]
    if not found:
        raise UsageError(f"{path} names no database", hint="It needs a [[database]] table with a path for each.")
    names = [(one.options.repo, one.options.name) for one in found]
    for repo, name in names:
        if names.count((repo, name)) > 1:
            raise UsageError(
                f"{path}: two databases are called {name!r} in {repo}", hint="Give each a name of its own."
            )
    return found


def _one(flags: Mapping[str, Any], environment: Mapping[str, str], entry: dict[str, Any], path: Path) -> Loaded:
    if not isinstance(entry.get("path"), str):
        raise UsageError(f"{path}: a [[database]] has no path", hint='Write path = "/where/the/file/is.duckdb".')
    database = Path(entry.pop("path")).absolute()
    loaded = _joined(flags, environment, entry, path)
    name = loaded.options.name or database.stem
    if loaded.options.repo is None:
        raise UsageError(
            f"{path}: no repository is given for {name!r}", hint='Write repo = "…" at the top, or in its table.'
        )
    return replace(loaded, options=loaded.options.model_copy(update={"name": name}), database=database)


def _joined(
    flags: Mapping[str, Any], environment: Mapping[str, str], from_file: dict[str, Any], path: Path | None
) -> Loaded:
    names = option_names()
    layers: dict[str, dict[str, Any]] = {
        f"file {path}": from_file,
        "environment": {name: environment[key] for name in names if (key := environment_name(name)) in environment},
        "flag": {name: value for name, value in flags.items() if value is not None},
    }
    merged: dict[str, Any] = {}
    origins = dict.fromkeys(names, "default")
    for origin, values in layers.items():
        for name, value in values.items():
            merged[name] = value
            origins[name] = f"environment {environment_name(name)}" if origin == "environment" else origin
    return Loaded(validated(_nested(merged), origins), origins, path)


def validated(values: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> Options:
    """Options from nested values.

    Raises:
        UsageError: a value is none that its option takes; with its origin, where that is known.
    """
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        origin = f" ({origins[name]})" if origins and name in origins else ""
        # Whoever gave a hook's URL may have given a secret.
        value = "…" if name.startswith("hooks.") else repr(first["input"])
        raise UsageError(f"{name} = {value}{origin}: {first['msg']}") from (None if value == "…" else error)


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *tables, last = name.split(".")
        table = nested
        for part in tables:
            table = table.setdefault(part, {})
        table[last] = value
    return nested


def _find(file: Path | None) -> Path | None:
    if file is not None:
        if not file.is_file():
            raise UsageError(f"there is no configuration file {file}", hint="Check --config.")
        return file
    places = (Path(FILE_NAME), Path(platformdirs.user_config_dir("duckback")) / FILE_NAME)
    return next((place for place in places if place.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def _select(document: dict[str, Any], name: object, database: Path | None, path: Path) -> dict[str, Any]:
    shared, entries = _tables(document, path)
    chosen = next((entry for entry in entries if _is_meant(entry, name, database)), {})
    if not chosen and len(entries) == 1 and database is None and name is None:
        chosen = entries[0]
    return {**{key: value for key, value in shared.items() if key != "path"}, **chosen}


def _tables(document: dict[str, Any], path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    tables = document.pop("database", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}: databases are written as [[database]] tables")
    shared, *entries = map(flat, (document, *tables))
    _refuse_unknown(dict.fromkeys(name for values in (shared, *entries) for name in values), path)
    for name in (name for entry in entries for name in entry if name.startswith("daemon.")):
        raise UsageError(f"{path}: {name} in a [[database]]", hint="There is one daemon: write [daemon] above them.")
    return shared, entries


def _is_meant(entry: Mapping[str, Any], name: object, database: Path | None) -> bool:
    if name is not None:
        return bool(_name_of(entry) == name)
    return database is not None and "path" in entry and Path(entry["path"]).absolute() == database.absolute()


def _name_of(entry: Mapping[str, Any]) -> object:
    """As it is given, else the stem of the path, as `load_all` names it."""
    return entry.get("name") or Path(str(entry.get("path", ""))).stem


def _refuse_unknown(names: Iterable[str], path: Path) -> None:
    """All unknown options at once, each with the nearest known one: who mistypes one mistypes more."""
    known = [*option_names(), "path"]
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    near = {name: difflib.get_close_matches(name, known, n=1) for name in unknown}
    meant = [
        f"{found[0]!r} for {name!r}" if len(unknown) > 1 else repr(found[0]) for name, found in near.items() if found
    ]
    hints = [f"Did you mean {' and '.join(meant)}?"] if meant else []
    if len(meant) < len(unknown):
        hints.append(f"Known are: {', '.join(known)}.")
    several = "s" if len(unknown) > 1 else ""
    raise UsageError(f"{path}: unknown option{several} {', '.join(map(repr, unknown))}", hint=" ".join(hints))
