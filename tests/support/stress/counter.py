"""A number that one process makes known to others through eight bytes of shared memory."""

import mmap
from pathlib import Path


class Counter:
    """Zero at first; the file is made if it is not there.

    A native store or load of eight aligned bytes is one instruction, so no reader sees half of a number.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        with path.open("r+b") as file:
            file.truncate(8)
            self._view = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")

    @property
    def value(self) -> int:
        return self._view[0]

    @value.setter
    def value(self, number: int) -> None:
        self._view[0] = number
