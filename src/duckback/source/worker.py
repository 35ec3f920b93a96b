"""The child process: one job from standard input, progress, questions and result as JSON lines on standard output.

DuckDB runs here and not in the caller: a damaged file can abort the process, closing a file that the caller has
open would drop its lock, and memory goes back to the system when the job is done.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from pydantic import TypeAdapter

from duckback.errors import DuckbackError, IntegrityError, SourceError
from duckback.source.confine import confine
from duckback.source.jobs import AnyJob, Caller
from duckback.source.order import Fetch

_JOBS: TypeAdapter[AnyJob] = TypeAdapter(AnyJob)
_LONGEST_READ = 1 << 16


def main() -> None:
    """Run the job that standard input names, and die with whoever sent it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send = _sender()
    job = _JOBS.validate_json(_first_line())
    if job.memory_limit is not None:
        confine(job.memory_limit)
    answers: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(answers,), daemon=True).start()
    caller = Caller(lambda progress: send({"progress": vars(progress)}), _fetcher(send, answers))
    try:
        result = job.run(caller)
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


def _fetcher(send: Callable[[dict[str, Any]], None], answers: "SimpleQueue[bytes]") -> Fetch:
    def fetch(keys: Sequence[str]) -> Mapping[str, Path]:
        if not keys:
            return {}
        send({"fetch": list(keys)})
        answer: dict[str, Any] = json.loads(answers.get())
        if "problem" in answer:
            raise IntegrityError(answer["problem"])
        return {key: Path(path) for key, path in answer["files"].items()}

    return fetch


def _first_line() -> bytes:
    return next(_lines(), b"")


def _lines() -> Iterator[bytes]:
    data = bytearray()
    while block := os.read(0, _LONGEST_READ):
        data += block
        *whole, rest = data.split(b"\n")
        yield from map(bytes, whole)
        data = bytearray(rest)


def _listen(answers: "SimpleQueue[bytes]") -> None:
    for line in _lines():
        answers.put(line)
    # The parent holds our standard input open; its end means that the parent is gone, killed perhaps.
    os._exit(1)


if __name__ == "__main__":
    main()
