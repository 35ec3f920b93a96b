"""What is measured, each in a fresh process: `python -m benchmarks.job NAME FROM TO MEMORY_LIMIT THREADS`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from duckback import Duckback
from duckback.routes.exchange import Scope

if TYPE_CHECKING:
    import duckdb

_NAMES = ("backup", "incremental", "export", "restore", "import")


def main() -> None:
    """Do the job, and print the seconds of its steps as JSON where it tells them."""
    name, origin, target, memory_limit, threads = sys.argv[1:]
    if name not in _NAMES:
        raise SystemExit(f"no such job: {name}")
    job = {"backup": _backup, "incremental": _incremental, "export": _export, "restore": _restore, "import": _import}[
        name
    ]
    print(json.dumps(job(Path(origin), Path(target), memory_limit, int(threads))))


def _backup(database: Path, repo: Path, memory_limit: str, threads: int) -> dict[str, float]:
    return _backed_up(database, repo, memory_limit, threads, "full")


def _incremental(database: Path, repo: Path, memory_limit: str, threads: int) -> dict[str, float]:
    return _backed_up(database, repo, memory_limit, threads, "incremental")


def _backed_up(database: Path, repo: Path, memory_limit: str, threads: int, scope: Scope) -> dict[str, float]:
    state = repo.parent / "state"
    duckback = Duckback(repo, state_dir=state, memory_limit=memory_limit, threads=threads)
    done = duckback.backup(database, scope=scope)
    if done.backup_scope != scope:
        raise SystemExit(f"a backup that was to be {scope} was {done.backup_scope}")
    return {**done.seconds, "bytes": done.backup_size_bytes}


def _restore(repo: Path, target: Path, memory_limit: str, threads: int) -> dict[str, float]:
    state = target.parent / "state"
    duckback = Duckback(repo, state_dir=state, memory_limit=memory_limit, threads=threads)
    return dict(duckback.restore(target).seconds)


def _export(database: Path, folder: Path, memory_limit: str, threads: int) -> dict[str, float]:
    with _connect(folder, memory_limit, threads) as con:
        con.execute(f"ATTACH '{database}' AS benchmark (READ_ONLY)")
        con.execute("USE benchmark")
        con.execute(f"EXPORT DATABASE '{folder}' (FORMAT parquet, COMPRESSION zstd)")
    return {}


def _import(folder: Path, target: Path, memory_limit: str, threads: int) -> dict[str, float]:
    with _connect(target, memory_limit, threads) as con:
        con.execute(f"ATTACH '{target}' AS benchmark")
        con.execute("USE benchmark")
        con.execute(f"IMPORT DATABASE '{folder}'")
        con.execute("CHECKPOINT")
    return {}


def _connect(beside: Path, memory_limit: str, threads: int) -> "duckdb.DuckDBPyConnection":
    # Duckback imports it where it needs it, and its jobs are not to pay for the peers'.
    import duckdb  # noqa: PLC0415 -- as above

    spill = str(beside.parent / "spill")
    con = duckdb.connect(config={"memory_limit": memory_limit, "threads": threads, "temp_directory": spill})
    con.execute("SET enable_progress_bar = false")
    return con


if __name__ == "__main__":
    main()
