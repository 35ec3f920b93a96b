"""The identity of a database file, so that a later look can tell whether it is unchanged."""

import hashlib
import os
import socket
from datetime import datetime
from pathlib import Path
from typing import Any


def identity_of(
    database: Path, status: os.stat_result, *, headers: bytes, logs: list[Path], seen_at: datetime
) -> dict[str, Any]:
    """Put together what was seen of a file, as the fields of a FileIdentity.

    They are no FileIdentity yet, for to import that takes longer than a look.

    Args:
        database: its path.
        status: from before its headers were read.
        headers: its first 12 KiB.
        logs: its write-ahead log, and that of a checkpoint if there is one, or copies of them.
        seen_at: when the status was taken.
    """
    return {
        "path": str(database.absolute()),
        "host": socket.gethostname(),
        "device": status.st_dev,
        "inode": status.st_ino,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "ctime_ns": status.st_ctime_ns,
        "header_sha256": hashlib.sha256(headers).hexdigest(),
        "wal_sha256": _digest(logs),
        "seen_at": seen_at,
    }


def _digest(logs: list[Path]) -> str | None:
    digest = hashlib.sha256()
    for log in logs:
        with log.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest() if logs else None
