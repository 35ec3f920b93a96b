"""Progress on standard error, on a terminal only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from duckback.model.progress import Report, unheard


@contextmanager
def progress_bars() -> Iterator[Report]:
    """A report that draws one bar a step; it draws nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield unheard
        return
    from duckback.cli.bars import bars_on_stderr  # noqa: PLC0415 -- it imports rich, which a backup by cron needs not

    with bars_on_stderr() as report:
        yield report
