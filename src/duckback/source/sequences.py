"""Where sequences are, which `duckdb_sequences()` does not always tell.

Measured on 1.5.6 and 2.0.0: of a file that was opened after a checkpoint, `start_value` is the next value, and 1.5
gives the same as `last_value`. What a write-ahead log of 1.5 says of a sequence is applied by either release, but not
told. So the sequences of a private image are asked for their next value.
"""

import shlex
from collections.abc import Iterable
from pathlib import Path

import duckdb

from duckback.errors import Unsupported
from duckback.model.catalog import Sequence
from duckback.model.manifest import Engine
from duckback.source.engine import attach, connect, scalar
from duckback.source.resources import Resources
from duckback.source.sql import literal, qualified

_NAME = "asked"
_TELLS = 2
"""The first release that tells the position as its own write-ahead log has it."""


def as_loaded(told: Sequence) -> Sequence:
    """A sequence of a file as this DuckDB has loaded it from its last checkpoint, from what it tells of it."""
    if told.last_value is not None and _release(duckdb.__version__) < _TELLS:
        told = told.model_copy(update={"last_value": None})
    is_beyond = not told.minimum <= told.start <= told.maximum
    return told.giving(None if is_beyond and not told.cycle else told.next_value)


def at_their_positions(
    image: Path, sequences: Iterable[Sequence], resources: Resources, *, subject: Path
) -> tuple[Sequence, ...]:
    """Sequences with the positions that they have in a private copy of their database, log included.

    Args:
        image: the copy; opened for writing, but nothing is committed.
        sequences: of it.
        resources: limits for DuckDB.
        subject: what errors call the database.

    Raises:
        Unsupported: one cannot be asked; the message names it.
    """
    wanted = tuple(sequences)
    if not wanted:
        return ()
    with connect(resources) as con:
        attach(con, image, _NAME, "READ_WRITE", subject=subject)
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        return tuple(sequence.giving(_next_value(con, sequence)) for sequence in wanted)


def _next_value(con: duckdb.DuckDBPyConnection, sequence: Sequence) -> int | None:
    con.execute("BEGIN TRANSACTION")
    try:
        return int(scalar(con, f"SELECT nextval({literal(qualified(*sequence.path))})"))
    except duckdb.SequenceException:
        return None
    except duckdb.Error as error:
        raise Unsupported(
            f"the position of sequence {sequence.label} cannot be read: {str(error).splitlines()[0]}",
            hint=f"Leave it out with --exclude {shlex.quote(sequence.label)}.",
        ) from error
    finally:
        con.execute("ROLLBACK")


def refuse_unless_told(sequences: Iterable[Sequence], engine: Engine) -> None:
    """Refuse sequences of a file with a write-ahead log whose positions in it this DuckDB does not tell.

    Raises:
        Unsupported: there are such; the message names them.
    """
    if min(_release(engine.duckdb_version), _release(engine.storage_version or "0")) >= _TELLS:
        return
    labels = [sequence.label for sequence in sequences]
    if labels:
        raise Unsupported(
            f"the positions of sequences in the write-ahead log cannot be read in place: {', '.join(labels)}",
            hint="Use --capture image, or run CHECKPOINT in the application first.",
        )


def _release(version: str) -> int:
    return int(version.removeprefix("v").partition(".")[0])
