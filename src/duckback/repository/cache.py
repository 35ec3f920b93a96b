"""A directory of what was read from a store and never changes there."""

import contextlib
import hashlib
import os
from pathlib import Path
from uuid import uuid4

_DIGEST_CHARS = 64


class Cache:
    """Bytes under names; each file begins with the SHA-256 of the rest, and one that is damaged is not there.

    Args:
        folder: made when something is put; None: nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        """What was put under a name, None if it is not there or damaged."""
        if self._folder is None:
            return None
        try:
            held = (self._folder / name).read_bytes()
        except OSError:
            return None
        digest, data = held[:_DIGEST_CHARS], held[_DIGEST_CHARS:]
        return data if digest == _digest(data) else None

    def put(self, name: str, data: bytes) -> None:
        """Keep it, where that is possible: a full or read-only disk costs time, and nothing else."""
        if self._folder is None:
            return
        temporary = self._folder / f".{name}.{uuid4().hex}"
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                temporary.write_bytes(_digest(data) + data)
                temporary.replace(self._folder / name)
            finally:
                temporary.unlink(missing_ok=True)

    def keep_only(self, names: set[str]) -> None:
        """Forget everything else."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            for name in os.listdir(self._folder):  # noqa: PTH208 -- names, of which there may be thousands
                if name not in names and not name.startswith("."):
                    (self._folder / name).unlink(missing_ok=True)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
