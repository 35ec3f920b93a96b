"""Running a job in a child process: its progress, its result, its error, its death."""

import json
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from typing import IO, Any

from duckback.errors import IntegrityError, SourceDamaged, SourceError, TookTooLong, error_classes
from duckback.model.progress import Progress, Report
from duckback.source.jobs import Caller, Job
from duckback.source.order import Fetch, nothing_to_fetch
from duckback.source.standing_back import Pauses

_LAST_WORDS = 2_000
_CRASHES = {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV}


def run_job(job: Job, report: Report, fetch: Fetch = nothing_to_fetch) -> str:
    """Run a job in a child process and return its result.

    The child dies with this process, and is killed when anything is raised here, Ctrl-C included. Where it crashes, and
    the job says so, another one has to crash as well before that is blamed on what they read.

    Args:
        job: what to do.
        report: hears how far it is.
        fetch: gets the objects that it asks for.

    Raises:
        DuckbackError: what the job raised, of the same class.
        SourceDamaged: the child died of what it read.
        TookTooLong: its time was over.
        SourceError: it was killed, or ended in a way that we have not foreseen.
    """
    try:
        return _run(job, Caller(report, fetch))
    except _Crash as crash:
        again = job.again
        if again is None:
            raise crash.error from None
    for path in job.leavings:
        path.unlink(missing_ok=True)
    try:
        return _run(again, Caller(report, fetch))
    except _Crash as crash:
        raise crash.error from None


class _Crash(Exception):
    """A child died by a signal of its own making."""

    def __init__(self, error: SourceDamaged) -> None:
        super().__init__(error.message)
        self.error = error


def _run(job: Job, caller: Caller) -> str:
    command = [sys.executable, "-m", "duckback.source.worker"]
    with tempfile.TemporaryFile("w+b") as stderr:
        # A group of its own keeps the terminal's Ctrl-C for this process, which ends the child in order.
        child = subprocess.Popen(  # noqa: S603 -- our own module, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, process_group=0
        )
        watch = _Watch(child, job.time_limit)
        pauses = Pauses(child, job.least_share)
        try:
            return _converse(child, job, replace(caller, stand_back=pauses.start), stderr)
        except SourceError as error:
            watch.blame(error)
            raise
        finally:
            watch.stop()
            pauses.stop()
            child.kill()
            child.communicate()


class _Watch:
    """Ends a child when its time is over, whatever it is doing: a definition may have been made to take for ever."""

    def __init__(self, child: "subprocess.Popen[bytes]", seconds: float | None) -> None:
        self._child = child
        self._seconds = seconds
        self._is_over = False
        self._timer = threading.Timer(seconds, self._end) if seconds is not None else None
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def _end(self) -> None:
        self._is_over = True
        self._child.kill()

    def blame(self, error: SourceError) -> None:
        """Raise TookTooLong in place of an error that comes of the end."""
        if self._is_over:
            raise TookTooLong(
                f"the worker process was ended after {self._seconds:.0f} s", hint="Give it longer: --job-timeout."
            ) from error

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _converse(child: "subprocess.Popen[bytes]", job: Job, caller: Caller, stderr: IO[bytes]) -> str:
    if child.stdin is None or child.stdout is None:
        raise SourceError("the worker process has no pipes")
    try:
        _tell(child.stdin, f"{job.task} {job.model_dump_json()}")
    except BrokenPipeError:
        raise _death(child, stderr) from None
    for line in child.stdout:
        message: dict[str, Any] = json.loads(line)
        if "progress" in message:
            caller.report(Progress(**message["progress"]))
        elif "stand_back" in message:
            caller.stand_back()
        elif "fetch" in message:
            with suppress(BrokenPipeError):  # it has died meanwhile, which the end of its output tells
                _tell(child.stdin, json.dumps(_answer(caller, message["fetch"])))
        elif "error" in message:
            raise error_classes()[message["error"]](message["message"], hint=message["hint"])
        else:
            # It ends by itself, for it has things to write at its end (its measured coverage, for one).
            child.wait()
            return str(message["result"])
    raise _death(child, stderr)


def _tell(pipe: IO[bytes], line: str) -> None:
    pipe.write(line.encode() + b"\n")
    pipe.flush()


def _answer(caller: Caller, keys: list[str]) -> dict[str, Any]:
    try:
        return {"files": {key: str(path) for key, path in caller.fetch(keys).items()}}
    except IntegrityError as error:
        return {"problem": error.message, "hint": error.hint}


def _death(child: "subprocess.Popen[bytes]", stderr: IO[bytes]) -> SourceError | _Crash:
    code = child.wait()
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
    stderr.seek(0)
    words = stderr.read()[-_LAST_WORDS:].decode(errors="replace").strip()
    hint = "If it was killed for memory, lower --memory-limit; a damaged database can make DuckDB abort."
    message = f"the worker process ended {how}{': ' + words if words else ''}"
    return _Crash(SourceDamaged(message, hint=hint)) if -code in _CRASHES else SourceError(message, hint=hint)
