"""The daemon put together: databases, agenda, runner, metrics, server, signals."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final
from uuid import UUID

from duckback.audit.past import Past
from duckback.config.options import Options
from duckback.daemon.agenda import Agenda
from duckback.daemon.claim import claimed
from duckback.daemon.loop import LONGEST_WAIT, Ended, Loop, Message, Stop
from duckback.daemon.metrics import Metrics
from duckback.daemon.processes import Processes, Protected, can_write
from duckback.daemon.server import Server
from duckback.errors import Interrupted, UsageError
from duckback.logs import logger
from duckback.model.schedule import Plan, Task, plan

_log = logger()
_SILENT_SECONDS: Final = 5 * LONGEST_WAIT.total_seconds()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Daemon:
    """Protects databases until it is told to stop.

    Args:
        protected: the databases; no two with one name.
        clock: now, in UTC.

    Raises:
        UsageError: two have one name.
    """

    def __init__(self, protected: Sequence[Protected], clock: Callable[[], datetime] = _utc_now) -> None:
        self._protected = {_name(one.options): one for one in protected}
        if len(self._protected) < len(protected):
            raise UsageError("two databases have the same name", hint='Give each [[database]] a name = "…" of its own.')
        self._clock = clock
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._options = protected[0].options.daemon
        self._metrics = Metrics({name: one.options for name, one in self._protected.items()}, clock)
        self._processes = Processes(self._protected, self._inbox.put)
        self._beat_at = time.monotonic()
        self._is_stopping = False

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; from the main thread.

        Raises:
            Locked: another daemon works with one of the state directories.
            DuckbackError: it cannot listen where it should.
        """
        with ExitStack() as stack:
            for directory in sorted({one.options.state_dir for one in self._protected.values()}):
                stack.enter_context(claimed(directory / "daemon.lock"))
            stack.enter_context(self._signals())
            address = self._options.address
            server = stack.enter_context(
                Server(address, self._metrics.registry, self.healthy, self.ready) if address else nullcontext()
            )
            listens = f"{address[0]}:{server.port}" if address and server else "nowhere"
            _log.info("daemon started", databases=list(self._protected), listens=listens)
            self._loop().run()
            _log.info("daemon stopped")

    def _loop(self) -> Loop:
        plans = {name: _plan(name, one.options) for name, one in self._protected.items()}
        return Loop(
            Agenda(plans, self._options.at_once),
            self._processes,
            wait=self._wait,
            clock=self._clock,
            observer=self,
            stop_within=self._options.stop_within,
        )

    def _wait(self, seconds: float) -> Message | None:
        try:
            return self._inbox.get(timeout=seconds)
        except Empty:
            return None

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self._is_stopping = True
            self._inbox.put(Stop())

        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, stop) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def healthy(self) -> list[str]:
        """What is wrong with the process itself."""
        silent = time.monotonic() - self._beat_at
        return [f"the loop has been silent for {silent:.0f} s"] if silent > _SILENT_SECONDS else []

    def ready(self) -> list[str]:
        """What keeps the daemon from working; never that a backup is late."""
        problems = self.healthy()
        if self._is_stopping:
            problems.append("it is stopping")
        problems += [
            f"the repository or the ledger of {name} has not answered for {seconds:.0f} s"
            for name, seconds in self._processes.hanging().items()
        ]
        directories: set[Path] = {one.options.state_dir for one in self._protected.values()}
        return problems + [f"cannot write to {path}" for path in sorted(directories) if not can_write(path)]

    # The observer of the loop

    def beat(self) -> None:
        self._beat_at = time.monotonic()

    def looked(self, name: str, past: Past) -> None:
        self._metrics.looked(name, past)
        for problem in past.unreadable:
            _log.warning("manifest cannot be read", database=name, error=problem)

    def started(self, name: str, task: Task, reason: str, run_id: UUID) -> None:
        self._metrics.started(name)
        _log.info("run started", database=name, task=str(task), reason=reason, run_id=str(run_id))

    def ended(self, ended: Ended) -> None:
        outcome = ended.outcome
        self._metrics.ended(ended.name, ended.task, outcome)
        about = {"database": ended.name, "task": str(ended.task or "look"), "run_id": str(ended.run_id)}
        if not outcome.ok:
            told = {"error": outcome.message, "kind": outcome.error, "hint": outcome.hint}
            is_stopped = outcome.error == Interrupted.__name__
            tell = _log.warning if is_stopped else _log.error
            tell("run stopped" if is_stopped else "run failed", **about, **told, notices=list(outcome.notices))
            return
        known = outcome.model_dump(mode="json", exclude_defaults=True, exclude={"ok", "steps"})
        _log.info("run finished", **about, **known)


def _name(options: Options) -> str:
    if options.name is None:
        raise UsageError("a database has no name")
    return options.name


def _plan(name: str, options: Options) -> Plan:
    return plan(name, options.schedule.timetables, options.daemon.spread)
