"""Whether a database file still is as it was: an answer that costs a look at its header and log, not at its rows."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from duckback.model.manifest import FileIdentity

_TICK_NS = 2_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FileStatus(NamedTuple):
    """What can be told of a file without opening it; see `FileIdentity`."""

    host: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def may_be_unchanged(then: FileIdentity, now: FileStatus | None) -> bool:
    """Whether it is worth a look: False if `why_changed` would name a reason by the status alone.

    Args:
        then: the file at the parent's snapshot.
        now: its status; None: it has none.
    """
    return now is not None and _status_of(then) == now and not _seen_too_soon(then)


def why_changed(then: FileIdentity, now: FileIdentity) -> str | None:
    """Why the file may hold other rows than it did, None if it cannot.

    Headers and log alone prove nothing: a file that the same script builds again can have equal ones and other rows.
    So the file must be the same one, untouched; and its last change must have been over for longer than the
    coarsest file system's clock takes to tick, or a later change could bear the same time.
    """
    doubts = (
        (then.host != now.host, f"it was seen on another machine, {then.host}"),
        ((then.device, then.inode) != (now.device, now.inode), "it is another file of that name"),
        (then.header_sha256 != now.header_sha256, "its header has changed"),
        (then.wal_sha256 != now.wal_sha256, "its write-ahead log has changed"),
        (then.size != now.size, "its size has changed"),
        ((then.mtime_ns, then.ctime_ns) != (now.mtime_ns, now.ctime_ns), "it was written to, or its inode was"),
        (_seen_too_soon(then), "it was seen too soon after its last change"),
    )
    return next((reason for is_in_doubt, reason in doubts if is_in_doubt), None)


def _status_of(identity: FileIdentity) -> FileStatus:
    return FileStatus(
        identity.host, identity.device, identity.inode, identity.size, identity.mtime_ns, identity.ctime_ns
    )


def _seen_too_soon(then: FileIdentity) -> bool:
    # Integers: a file's time can be past all that a datetime can say.
    seen_ns = (then.seen_at - _EPOCH) // timedelta(microseconds=1) * 1000
    return seen_ns - max(then.mtime_ns, then.ctime_ns) <= _TICK_NS
