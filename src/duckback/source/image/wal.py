"""The framing of a write-ahead log (DuckDB's `storage/write_ahead_log.cpp`, WAL version 2).

A version record that is not framed, then records of a size and a checksum (64 bits each) and so many bytes, of which
the third is the type. Commits end with a flush record, whose bytes are always the same. The records' checksums are
left to DuckDB, which verifies them when it replays the log; what it would take for the log's end is looked for here.
"""

import struct
from dataclasses import dataclass
from mmap import mmap

from duckback.errors import Unsupported
from duckback.source.image.disturbed import Disturbed

FLUSH = bytes.fromhex("0500000000000000e7fe7d722fed3d5e640064ffff")
"""The record that ends a commit: its size, its checksum, its fields."""

TAIL_BYTES = 128
"""The two records with which a checkpoint begins fit into as many bytes."""

_VERSION_RECORD = b"\x64\x00\x62\x65\x00"
_VERSION = 2
_IDENTIFIER_FIELD = b"\x66\x00"
_ITERATION_FIELD = b"\x67\x00"
_END = b"\xff\xff"
_TYPE_FIELD = b"\x64\x00"
_SHORTEST = 3
_CHECKPOINT = 99
_CHECKPOINT_FIELDS = b"\x64\x00\x63\x65\x00"
_MORE = 0x80
_LONGEST_VARINT = 10
_FRAME = struct.Struct("<QQ")


@dataclass(frozen=True)
class Wal:
    """What a log says of itself.

    Attributes:
        committed: bytes up to the end of the last commit; 0 if there is none.
        has_checkpoint: it ends with the beginning of a checkpoint.
        abandoned: from where to where in it there are beginnings of checkpoints that came to nothing: commits follow
            them, which a running checkpoint does not let into this log. DuckDB 1.4 leaves them after a crash, and
            newer releases cannot read them.
        identifier: of the database that it belongs to, where the storage version has one.
        iteration: the checkpoint that it follows, likewise.
    """

    committed: int = 0
    has_checkpoint: bool = False
    abandoned: tuple[tuple[int, int], ...] = ()
    identifier: bytes | None = None
    iteration: int | None = None


def parse_wal(data: bytes | mmap) -> Wal:
    """Walk through a log.

    Raises:
        Disturbed: there are commits behind something that is no record.
        Unsupported: the log of a DuckDB before 0.10, or of a later format.
    """
    start, identifier, iteration = _parse_version(data)
    if start == 0:
        _refuse_commits_after(data, 0)
        return Wal()
    walked = _walk(data, start)
    _refuse_commits_after(data, walked.end)
    return Wal(walked.committed, bool(walked.checkpoint), tuple(walked.abandoned), identifier, iteration)


def ends_in_checkpoint(tail: bytes) -> bool:
    """Whether a log whose last bytes these are ends with the beginning of a checkpoint: its record, and a flush."""
    record, flush = tail[: -len(FLUSH)], tail[-len(FLUSH) :]
    sizes = range(len(_CHECKPOINT_FIELDS), len(record) - _FRAME.size + 1)
    return flush == FLUSH and any(
        record[-size:].startswith(_CHECKPOINT_FIELDS) and _FRAME.unpack_from(record, len(record) - size - 16)[0] == size
        for size in sizes
    )


@dataclass
class _Walked:
    end: int
    committed: int
    checkpoint: tuple[int, int] | None
    abandoned: list[tuple[int, int]]


def _walk(data: bytes | mmap, start: int) -> _Walked:
    walked = _Walked(start, 0, None, [])
    while walked.end + _FRAME.size <= len(data):
        size, _ = _FRAME.unpack_from(data, walked.end)
        payload = walked.end + _FRAME.size
        end = payload + size
        if end > len(data) or size < _SHORTEST or data[payload : payload + 2] != _TYPE_FIELD:
            break
        if data[walked.end : end] == FLUSH:
            walked.committed = end
        else:
            if walked.checkpoint:
                walked.abandoned.append(walked.checkpoint)
            walked.checkpoint = (walked.end, end) if data[payload + 2] == _CHECKPOINT else None
        walked.end = end
    return walked


def _refuse_commits_after(data: bytes | mmap, position: int) -> None:
    # A record half written is the end of a log; one with whole commits behind it is damage, and DuckDB would drop them.
    if data.find(FLUSH, position) >= 0:
        raise Disturbed(f"its WAL makes no sense at byte {position}")


def _parse_version(data: bytes | mmap) -> tuple[int, bytes | None, int | None]:
    # Where the first record begins (0: the version record is not whole), the identifier, the iteration.
    opening = data[: len(_VERSION_RECORD)]
    if opening != _VERSION_RECORD[: len(opening)]:
        raise Unsupported("its WAL has no version record", hint=_HINT)
    try:
        version, position = _varint(data, len(_VERSION_RECORD))
        if version != _VERSION:
            raise Unsupported(f"its WAL is of version {version}", hint=_HINT)
        identifier, iteration = None, None
        if data[position : position + 2] == _IDENTIFIER_FIELD:
            identifier, position = _bytes(data, position + 2)
        if data[position : position + 2] == _ITERATION_FIELD:
            iteration, position = _varint(data, position + 2)
    except IndexError:
        return 0, None, None
    if data[position : position + 2] != _END:
        return 0, None, None
    return position + 2, identifier, iteration


_HINT = "Open and close the database once with DuckDB 1.4 to 2.0, or back up with --capture direct."


def _bytes(data: bytes | mmap, position: int) -> tuple[bytes, int]:
    count, position = _varint(data, position)
    values = []
    for _ in range(count):
        value, position = _varint(data, position)
        values.append(value & 0xFF)
    return bytes(values), position


def _varint(data: bytes | mmap, position: int) -> tuple[int, int]:
    # Seven bits a byte, the lowest first; the highest bit says that more follow.
    value = 0
    for count in range(_LONGEST_VARINT):
        byte = data[position + count]
        value |= (byte & ~_MORE) << 7 * count
        if not byte & _MORE:
            return value, position + count + 1
    raise IndexError
