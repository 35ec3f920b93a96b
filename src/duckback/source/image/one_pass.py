"""One pass over a database that may be written to: either a consistent image, or `Disturbed`.

The order makes it right: moment, headers, log, blocks, headers, log. What was committed before the moment is then in
the blocks or in the log, and both belong to the same checkpoint. See the package's docstring.
"""

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from duckback.errors import Unsupported
from duckback.model.manifest import FileIdentity
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.header import HEADERS_BYTES, Header, read_header
from duckback.source.image.identity import identity_of
from duckback.source.image.locks import writes_directly
from duckback.source.image.log import LogCopy
from duckback.source.image.opening import opened
from duckback.source.image.sight import Sight
from duckback.source.image.taken import Image
from duckback.source.image.target import Target
from duckback.source.image.wal import Wal


def one_pass(database: Path, target: Target) -> Image:
    """Read the database once.

    Raises:
        Disturbed: its writer came between; the target is worth keeping for the next pass.
        SourceError: it is no database that can be captured.
    """
    seen_at = datetime.now(UTC)
    with ExitStack() as stack:
        try:
            source = stack.enter_context(opened(database))
            before = Sight.of(database, source)
            target.stillness.note(before)
            return _read(database, source, target, before, seen_at)
        except Disturbed as disturbed:
            target.stillness.note(now := _sight(database))
            disturbed.is_at_rest = (now is None or now.writer is None) and target.stillness.is_lasting
            raise


def _sight(database: Path) -> Sight | None:
    try:
        with opened(database) as source:
            return Sight.of(database, source)
    except Disturbed:
        return None


def _read(database: Path, source: int, target: Target, before: Sight, seen_at: datetime) -> Image:
    status, is_live = os.fstat(source), before.writer is not None
    if is_live:
        _refuse_unreadable(database, status, before)
    header = read_header(source, str(database))
    with ExitStack() as stack:
        copies, wal = _copy_logs(before, target, stack)
        # Something that says that a checkpoint runs, and nothing moves: it has failed, or its writer has. Then the
        # files are taken as they lie, like those of a process that crashed, and nothing may move meanwhile either.
        as_they_lie = not is_live or (wal.has_checkpoint and target.stillness.is_lasting)
        if not as_they_lie:
            _refuse_checkpoint(wal.has_checkpoint)
            _check_epoch(wal, header)
        method = target.fill(source)
        if as_they_lie and is_live and method == "copy" and not target.is_equal(source):
            raise Disturbed("it was written to meanwhile")
        _check_file(database, source, header)
        for log in copies:
            log.check(may_grow=not as_they_lie)
        now = Sight.of(database, source)
        _check_sight(before, now, as_they_lie=as_they_lie)
        if not as_they_lie and copies:
            _refuse_checkpoint(copies[0].ends_in_checkpoint())
        logs = [log.path for log in copies]
        identity = FileIdentity(**identity_of(database, status, headers=header.raw, logs=logs, seen_at=seen_at))
        if copies:
            _trim(copies[0], wal, as_they_lie=as_they_lie)
    return Image(
        path=target.path,
        snapshot_at=seen_at,
        file=identity,
        method=method,
        passes=target.passes,
        written_bytes=target.written_bytes,
        has_writer=is_live,
        notices=() if before.logs.is_certain else (_UNSEEN.format(database=database, writer=before.writer),),
    )


_UNSEEN = (
    "process {writer}, which has {database} open, may not be looked at, and there is no write-ahead log beside that "
    "name: if the process uses another name for the file, what it has committed since its last checkpoint is missing"
)


def _refuse_unreadable(database: Path, status: os.stat_result, sight: Sight) -> None:
    if status.st_size < HEADERS_BYTES:
        raise Disturbed("it is being created")
    if sight.writer is not None and writes_directly(sight.writer, status):
        raise Unsupported(
            f"{database} is written past the page cache (IO_MODE 'DIRECT_IO'), so that readers may see old bytes",
            hint="Open it with another IO_MODE in the application, or back up a file-system snapshot of it.",
        )


def _copy_logs(sight: Sight, target: Target, stack: ExitStack) -> tuple[list[LogCopy], Wal]:
    target.remove_logs()
    log = _opened_log(sight.logs.wal, target.log(".wal"), stack)
    if log is None:
        return [], Wal()
    if sight.writer is not None and not target.stillness.is_lasting:
        _refuse_checkpoint(log.ends_in_checkpoint())
    log.fill()
    wal = log.parse()
    second = None
    if wal.has_checkpoint:
        second = _opened_log(sight.logs.checkpoint_wal, target.log(".wal.checkpoint"), stack)
    if second is None:
        return [log], wal
    second.fill()
    return [log, second], wal


def _opened_log(original: Path, copy: Path, stack: ExitStack) -> LogCopy | None:
    try:
        log = LogCopy(original, copy)
    except FileNotFoundError:
        return None
    stack.callback(log.close)
    return log


def _refuse_checkpoint(is_running: bool) -> None:
    if is_running:
        raise Disturbed("a checkpoint is under way")


def _check_epoch(wal: Wal, header: Header) -> None:
    if wal.identifier is not None and (wal.identifier, wal.iteration) != (header.identifier, header.iteration):
        raise Disturbed("its WAL belongs to another state of it")


def _check_file(database: Path, source: int, header: Header) -> None:
    try:
        named = database.stat()
    except FileNotFoundError:
        raise Disturbed("it was removed meanwhile") from None
    if not os.path.samestat(named, os.fstat(source)):
        raise Disturbed("it was replaced by another file meanwhile")
    if read_header(source, str(database)).raw != header.raw:
        raise Disturbed("a checkpoint ended meanwhile")


def _check_sight(before: Sight, now: Sight, *, as_they_lie: bool) -> None:
    if now.writer != before.writer:
        raise Disturbed("it was opened or closed meanwhile")
    if as_they_lie and now != before:
        raise Disturbed("it was written to meanwhile")


def _trim(log: LogCopy, wal: Wal, *, as_they_lie: bool) -> None:
    if not as_they_lie:
        log.cut(wal.committed)
    if wal.abandoned:
        log.drop(wal.abandoned)
