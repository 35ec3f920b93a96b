"""DuckDB connections as Duckback wants them, and DuckDB's errors in our words."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from duckback.errors import SourceBusy, SourceDamaged, SourceError, UsageError
from duckback.source.resources import Resources
from duckback.source.sql import identifier, literal

KEEPS_ONE_ZERO = duckdb.__version__.startswith("1.")
"""Whether this DuckDB takes 0.0 and -0.0 for one value when it stores them: in a dictionary of a Parquet file, in a run
of a database file (RLE), and, which no setting changes, in a segment of a database file that holds nothing else."""

_HOLDER = re.compile(r"lock is held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
_ROOM = 3 / 4
_HASH_PROBE = "SELECT hash(42, 'duckback', 1.5, DATE '2026-11-23')"


def connect(resources: Resources) -> duckdb.DuckDBPyConnection:
    """An empty in-memory instance with these limits that loads no extension by itself.

    Raises:
        UsageError: a limit is not one that DuckDB understands.
    """
    try:
        con = duckdb.connect(
            config={
                "memory_limit": resources.memory_limit,
                "threads": resources.threads,
                "temp_directory": str(resources.spill),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
    except duckdb.Error as error:
        raise UsageError(
            f"DuckDB does not accept its limits: {str(error).splitlines()[0]}",
            hint="Check --memory-limit (such as 600MB) and --threads.",
        ) from error
    set_session(con)
    return con


def leave_room(con: duckdb.DuckDBPyConnection) -> None:
    """Take a quarter of its memory from an instance.

    For work that reads from the table and from files at once: of what that takes, DuckDB counts a part only.
    """
    amount, unit = str(scalar(con, "SELECT current_setting('memory_limit')")).split()
    con.execute(f"SET memory_limit = '{float(amount) * _ROOM:.2f} {unit}'")


def set_session(con: duckdb.DuckDBPyConnection) -> None:
    """Settings of this connection alone: text of timestamps in UTC, progress told but not printed."""
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = true")
    con.execute("SET enable_progress_bar_print = false")
    # Definitions that DuckDB 1.5 accepted, and still runs, are written with arrows; 2.0 reads them like this alone.
    con.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")


def create_in_memory(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make an empty in-memory database under a name, as the only one."""
    con.execute(f"ATTACH ':memory:' AS {identifier(name)}")
    alone(con, name)


def alone(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make an attached database the current one, and drop the one that came with the instance.

    Otherwise a schema that is called like that one could not be spoken of.
    """
    con.execute(f"USE {identifier(name)}")
    con.execute("DETACH memory")


def shut_in(con: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """Take from an instance, for good, whatever statements that are not trusted could abuse.

    Args:
        con: on it.
        files: all that it may still read; their directories are told to DuckDB.
    """
    con.execute("SET allowed_directories = ?", [sorted({str(path.parent) for path in files})])
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def shut_in_with(
    con: duckdb.DuckDBPyConnection, addresses: Iterable[Path | str], directories: Iterable[Path] = ()
) -> None:
    """The same for statements of whoever: single files, and nothing beside them.

    Args:
        con: on it.
        addresses: of the files that it may still read, with the logs that DuckDB looks for beside databases.
        directories: in which it may also write.
    """
    con.execute("SET allowed_paths = ?", [sorted(map(str, addresses))])
    con.execute("SET allowed_directories = ?", [sorted(map(str, directories))])
    # A name that is no table would else be looked for among the variables of our own code.
    con.execute("SET python_enable_replacements = false")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, options: str, *, subject: Path | None = None) -> None:
    """Attach a database file under a name, as the only one.

    Args:
        con: an instance of our own.
        path: the file.
        name: the catalogue's name.
        options: what stands in ATTACH's parentheses.
        subject: what errors call it; default: the path.

    Raises:
        SourceBusy: another process holds the file.
        SourceError: no DuckDB database, or one that this DuckDB cannot read.
    """
    with translated(str(subject or path), otherwise=SourceDamaged):
        con.execute(f"ATTACH {literal(str(path))} AS {identifier(name)} ({options})")
        alone(con, name)


def hash_probe(con: duckdb.DuckDBPyConnection) -> int:
    """The hash of a constant row: equal wherever `hash()` is the same function."""
    return int(scalar(con, _HASH_PROBE))


def scalar(con: duckdb.DuckDBPyConnection, statement: str) -> Any:
    """The only value of the only row of a query."""
    row = con.execute(statement).fetchone()
    if row is None:
        raise SourceError(f"DuckDB answered no row to: {statement[:200]}")
    return row[0]


def name_in_sql(name: str, schemas: Iterable[str] = ()) -> str:
    """A name under which a database can be attached, for one that it is called by or that of its file.

    DuckDB takes the file's name up to the first dot, and a database's views may call it so.

    Args:
        name: what it is called, or its file's name.
        schemas: whose names it cannot have, for then neither could be spoken of.
    """
    stem = name.partition(".")[0] or "source"
    reserved = {"main", "memory", "system", "temp", *(schema.lower() for schema in schemas)}
    while stem.lower() in reserved:
        stem += "_"
    return stem


@contextmanager
def translated(subject: str, *, otherwise: type[SourceError] = SourceError) -> Iterator[None]:
    """Raise DuckDB's errors about `subject` as ours; those that we know no better words for as `otherwise`."""
    try:
        yield
    except duckdb.Error as error:
        raise _ours(str(error), subject, otherwise) from error


def _ours(text: str, subject: str, otherwise: type[SourceError]) -> SourceError:
    first_line = text.splitlines()[0] if text else "unknown error"
    if held := _HOLDER.search(text):
        return SourceBusy(
            f"{subject} is open in another process: {held['program']} (PID {held['pid']})",
            hint="Leave --capture at image, which does not open the file, or close it there.",
        )
    for sign, (message, hint) in _KNOWN.items():
        if sign.lower() in text.lower():
            return SourceError(message.format(subject=subject, version=duckdb.__version__, text=first_line), hint=hint)
    return otherwise(f"DuckDB cannot process {subject}: {first_line}")


_KNOWN = {
    "not a valid DuckDB database file": (
        "{subject} is not a DuckDB database",
        "Give the path of the database file itself.",
    ),
    "encrypted": (
        "{subject} is encrypted and cannot be opened without its key",
        "Duckback does not back up encrypted databases yet; a backup would hold their rows in the clear.",
    ),
    "version number": (
        "{subject} was written by another DuckDB than {version} reads: {text}",
        "Install the duckdb release that wrote it (or a newer one) beside Duckback.",
    ),
    "No space left": ("the disk is full: {text}", "Free some space, or point --staging-dir at a larger disk."),
    "Out of Memory": ("DuckDB ran out of its memory limit on {subject}: {text}", "Raise --memory-limit."),
}
