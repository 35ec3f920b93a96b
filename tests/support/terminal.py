"""A terminal for a command to run on."""

import os
import pty
import struct
import subprocess
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ


def run_on_terminal(command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command with standard output and error on a terminal of 50 lines and 200 columns; returns exit code and what it shows."""
    ours, theirs = pty.openpty()
    try:
        ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        variables = {**os.environ, "TERM": "xterm", "COLUMNS": "200", **(environment or {})}
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=cwd, env=variables
        )
        os.close(theirs)
        theirs = -1
        shown = b""
        while block := _read(ours):
            shown += block
        return child.wait(60), shown.decode()
    finally:
        os.close(ours)
        if theirs != -1:
            os.close(theirs)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""  # Linux answers EIO when nobody has the other end open any more
