"""A limit of the operating system on the memory of a process, for what DuckDB's own limit does not count."""

import os
import re
import resource

_SIZE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[KMGT]?)i?B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

_BESIDE_DUCKDB = 1 << 30
"""Bytes for Python, the libraries, and blocks that the allocator keeps."""

_STACK = 8 << 20
"""Bytes of the stack of a thread where none are set as a limit: the default of Linux."""


def confine(memory_limit: str, threads: int) -> None:
    """Refuse this process, for good, more memory of its own than twice DuckDB's limit, a GiB, and its threads' stacks.

    DuckDB counts the pages of its buffers; the footer of a Parquet file, or the text of a definition, can make it ask
    for more than that. Files that are mapped do not count.

    Args:
        memory_limit: as DuckDB takes it; where that is not a number of bytes, the machine's memory is the limit.
        threads: of DuckDB; the system counts their stacks, used or not.
    """
    limit = min(2 * size_of(memory_limit) + _BESIDE_DUCKDB + threads * _stack(), _machine())
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def size_of(memory_limit: str) -> int:
    """Bytes of a limit such as "600MB", "1.5 GiB"; of one in other words, such as "80%", the machine's memory."""
    found = _SIZE.fullmatch(memory_limit.strip())
    return int(float(found["number"]) * 1024 ** _POWERS[found["unit"].lower()]) if found else _machine()


def _stack() -> int:
    size, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return size if size != resource.RLIM_INFINITY else _STACK


def _machine() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
