"""The entry point: runs a verb, turns errors into words and exit codes."""

import sys

from duckback import interrupts


def main() -> None:
    """Run the command line and exit with its code (0 ok, else as of `duckback.errors`)."""
    interrupts.answer()
    try:
        # It takes a moment, and an interrupt in the middle of DuckDB's own import would abort the process.
        with interrupts.undisturbed():
            from duckback.cli.app import run  # noqa: PLC0415 -- as above

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("duckback: interrupted\n")
        code = 130
    interrupts.answered()
    sys.exit(code)
