"""The DuckDB releases whose files are backed up: the one installed, and older ones beside it for writers."""

import os
import sys
from pathlib import Path

import duckdb

INSTALLED = ".".join(duckdb.__version__.split(".")[:2])
OLDER = ("1.4", "1.5")
ENGINES = (*OLDER, INSTALLED)


def environment(engine: str) -> dict[str, str]:
    """The environment in which a child of `sys.executable` has that release of DuckDB.

    Raises:
        FileNotFoundError: `make test` has not installed it.
    """
    environment = dict(os.environ)
    if engine != INSTALLED:
        folder = Path(sys.prefix, "engines", engine)
        if not (folder / "duckdb").is_dir():
            raise FileNotFoundError(f"DuckDB {engine} is not in {folder}: run make test once")
        environment["PYTHONPATH"] = str(folder)
    return environment
