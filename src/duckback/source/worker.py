"""The child process: one job from standard input, progress and result as JSON lines on standard output.

DuckDB runs here and not in the caller: a damaged file can abort the process, closing a file that the caller has
open would drop its lock, and memory goes back to the system when the job is done.
"""

import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from duckback.errors import DuckbackError, SourceError
from duckback.source.jobs import AnyJob

_JOBS: TypeAdapter[AnyJob] = TypeAdapter(AnyJob)
_LONGEST_LINE = 1 << 16


def main() -> None:
    """Run the job that standard input names, and die with whoever sent it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send = _sender()
    job = _JOBS.validate_json(_first_line())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        result = job.run(lambda progress: send({"progress": vars(progress)}))
    except DuckbackError as error:
        send({"error": type(error).__name__, "message": error.message, "hint": error.hint})
    except (OSError, MemoryError) as error:
        send({"error": SourceError.__name__, "message": f"the worker process failed: {error}", "hint": ""})
    else:
        send({"result": result})


def _sender() -> Callable[[dict[str, Any]], None]:
    # Whatever else writes to standard output must not end up between the messages.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            out.write(json.dumps(message) + "\n")
            out.flush()

    return send


def _first_line() -> bytes:
    data = bytearray()
    while not data.endswith(b"\n") and (block := os.read(0, _LONGEST_LINE)):
        data += block
    return bytes(data)


def _die_with_parent() -> None:
    # The parent holds our standard input open; its end means that the parent is gone, killed perhaps.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
