"""The child process: one job from standard input, progress, questions and result as JSON lines on standard output.

The job's line begins with its task, which tells what to import.

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
from typing import TYPE_CHECKING, Any

from duckback.errors import DuckbackError, IntegrityError, SourceError
from duckback.model.progress import Progress, Report
from duckback.source.image.look import look_as_json

if TYPE_CHECKING:
    from duckback.source.order import Fetch

_LOOK = "look"
_LONGEST_READ = 1 << 16


def main() -> None:
    """Run the job that standard input holds, and die with whoever sent it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send = _sender()
    task, _, job = _first_line().partition(b" ")
    answers: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(answers,), daemon=True).start()
    try:
        result = _perform(
            task.decode(),
            job,
            lambda progress: send({"progress": vars(progress)}),
            _fetcher(send, answers),
            lambda: send({"stand_back": True}),
        )
    except DuckbackError as error:
        send({"error": type(error).__name__, "message": error.message, "hint": error.hint})
    except (OSError, MemoryError) as error:
        send({"error": SourceError.__name__, "message": f"the worker process failed: {error}", "hint": ""})
    else:
        send({"result": result})


def _perform(task: str, job: bytes, report: Report, fetch: "Fetch", stand_back: Callable[[], None]) -> str:
    if task == _LOOK:
        report(Progress(_LOOK))
        return look_as_json(Path(json.loads(job)["database"]))
    # They import DuckDB and pydantic, for which a look has no time.
    from duckback.source.confine import confine  # noqa: PLC0415 -- as above
    from duckback.source.jobs import JOBS, Caller  # noqa: PLC0415 -- as above
    from duckback.source.tasks import perform  # noqa: PLC0415 -- as above

    wanted = JOBS[task].model_validate_json(job)
    if wanted.confined_to is not None:
        confine(wanted.confined_to.memory_limit, wanted.confined_to.threads)
    return perform(wanted, Caller(report, fetch, stand_back))


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


def _fetcher(send: Callable[[dict[str, Any]], None], answers: "SimpleQueue[bytes]") -> "Fetch":
    def fetch(keys: Sequence[str]) -> Mapping[str, Path]:
        if not keys:
            return {}
        send({"fetch": list(keys)})
        answer: dict[str, Any] = json.loads(answers.get())
        if "problem" in answer:
            raise IntegrityError(answer["problem"], hint=answer["hint"])
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
