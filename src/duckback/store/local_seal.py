"""A note on a file of what it was found to hold, so that it need not be read again until somebody writes to it.

It is an extended attribute: the SHA-256, and the size, time of last change and inode that the file had when it was
read. A file that was written to, replaced or copied has others.
"""

import os
from contextlib import suppress
from typing import BinaryIO

_ATTRIBUTE = "user.duckback.sha256"


def state_of(file: BinaryIO) -> str:
    """What a file's note says of it beside its SHA-256; to be asked before it is read."""
    status = os.fstat(file.fileno())
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def seal(file: BinaryIO, sha256: str, state: str) -> None:
    """Note that the file in that state was read and had that SHA-256."""
    # Without the note, on a file system that has no such attributes or for a reader of others' files, it is read anew.
    with suppress(OSError):
        os.setxattr(file.fileno(), _ATTRIBUTE, f"{sha256} {state}".encode())


def sealed(file: BinaryIO) -> str | None:
    """The SHA-256 that the file had when it was last read, None if it may have changed since."""
    try:
        note = os.getxattr(file.fileno(), _ATTRIBUTE).decode(errors="replace")
    except OSError:
        return None
    sha256, _, state = note.partition(" ")
    return sha256 if state == state_of(file) else None
