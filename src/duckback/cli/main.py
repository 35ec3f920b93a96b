"""The entry point: runs a verb, turns errors into words and exit codes."""

import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line and exit with its code (0 ok, else as of `duckback.errors`)."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        # Importing it takes a moment in which Ctrl-C must already be answered in order.
        from duckback.cli.app import run  # noqa: PLC0415 -- as above

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.stderr.write("duckback: interrupted\n")
        sys.exit(130)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
