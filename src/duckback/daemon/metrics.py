"""What the daemon knows, in a registry of Prometheus metrics of its own."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, disable_created_metrics

from duckback.audit.past import Past
from duckback.config.options import Options
from duckback.daemon.outcome import Outcome
from duckback.daemon.tasks import ROUTE_OF
from duckback.model.schedule import Task

_RUN: Final = ("database", "route")
_DATABASE: Final = ("database",)


class Metrics:
    """Every metric, by what it is about.

    Args:
        options: of each database, by name.
        clock: now, in UTC; ages are told as of the scrape.
    """

    def __init__(self, options: Mapping[str, Options], clock: Callable[[], datetime]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self.registry = CollectorRegistry()
        self._options = options
        self._clock = clock
        self._newest: dict[str, datetime] = {}
        self._runs()
        self._backups()
        self._proofs()
        self._ledger_and_hooks()
        self.set_up()

    def _runs(self) -> None:
        self.success = self._gauge("last_success_timestamp_seconds", "Start or end of the last good run", _RUN)
        self.failure = self._gauge("last_failure_timestamp_seconds", "End of the last run that failed", _RUN)
        self.runs = Counter("duckback_runs", "Runs that have ended", (*_RUN, "result"), registry=self.registry)
        self.running = self._gauge("running", "Whether a run is under way", _DATABASE)
        self.seconds = self._gauge("run_duration_seconds", "Length of the last run", _RUN)
        self.steps = self._gauge(
            "processor_duration_seconds", "Length of each processor in the last run", (*_RUN, "processor")
        )
        self.looks_failed = Counter(
            "duckback_looks_failed",
            "Times that a repository or ledger could not be read",
            _DATABASE,
            registry=self.registry,
        )
        Info("duckback_build", "The version", registry=self.registry).info({"version": version("duckback")})

    def _backups(self) -> None:
        self.newest = self._gauge(
            "newest_backup_timestamp_seconds", "The moment that the newest committed backup shows", _DATABASE
        )
        self.age = self._gauge("newest_backup_age_seconds", "Age of the newest committed backup", _DATABASE)
        self.rpo = self._gauge("rpo_seconds", "The age that the newest committed backup may have", _DATABASE)
        self.rows = self._gauge("backup_rows", "Rows of the newest backup", _DATABASE)
        self.bytes = self._gauge("backup_bytes", "Bytes that a restore of the newest backup needs", _DATABASE)
        self.bytes_added = self._gauge("backup_added_bytes", "Bytes that the newest backup added", _DATABASE)
        self.objects = self._gauge("backup_objects", "Objects that a restore of the newest backup needs", _DATABASE)
        self.objects_added = self._gauge("backup_added_objects", "Objects that the newest backup added", _DATABASE)

    def _proofs(self) -> None:
        self.verified = Counter(
            "duckback_verifications", "Backups verified, by result", (*_DATABASE, "result"), registry=self.registry
        )
        self.unverified = self._gauge("unverified_backups", "Backups that were not verified as good here", _DATABASE)
        self.bad = self._gauge("bad_backups", "Backups of which a failed verification stands", _DATABASE)
        self.rto = self._gauge("test_restore_duration_seconds", "Length of the last test restore (RTO)", _DATABASE)
        self.restore_interval = self._gauge(
            "test_restore_interval_seconds", "The longest time planned between two test restores", _DATABASE
        )

    def _ledger_and_hooks(self) -> None:
        ledger = ("ledger",)
        self.undelivered = self._gauge("ledger_undelivered_events", "Events that wait for TigerBeetle", ledger)
        self.parked = self._gauge("ledger_parked_events", "Events that TigerBeetle refuses", ledger)
        self.oldest = self._gauge(
            "ledger_oldest_undelivered_timestamp_seconds", "When the oldest event that waits was recorded, or 0", ledger
        )
        self.hooks_failed = Counter("duckback_hook_failures", "Hooks that failed", _DATABASE, registry=self.registry)

    def _gauge(self, name: str, meaning: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(f"duckback_{name}", meaning, labels, registry=self.registry)

    def set_up(self) -> None:
        """What is known before the first look."""
        for name, options in self._options.items():
            self.running.labels(name).set(0)
            self._plan(name)
            self.hooks_failed.labels(name)
            self.looks_failed.labels(name)
            for task, table in options.schedule.timetables.items():
                if table is not None:
                    for result in ("success", "failure"):
                        self.runs.labels(name, ROUTE_OF[task], result)
            longest = options.schedule.longest(Task.TEST_RESTORE, self._clock())
            if longest is not None:
                self.restore_interval.labels(name).set(longest.total_seconds())

    def _plan(self, name: str) -> None:
        # Hundreds of moments of a cron expression are looked at for it: too much for each scrape.
        self.rpo.labels(name).set(self._options[name].schedule.rpo_at(self._clock()).total_seconds())

    def _age(self, name: str) -> float:
        return max((self._clock() - self._newest[name]).total_seconds(), 0.0)

    def looked(self, name: str, past: Past) -> None:
        """Take what a repository and a ledger hold of a database, which is told at least once an hour."""
        self._plan(name)
        done: dict[Task, datetime | None] = {Task(one.scope): one.at for one in past.history.taken}
        done |= {Task.VERIFY: past.well_verified_at, Task.TEST_RESTORE: past.history.done(Task.TEST_RESTORE)}
        for task, at in done.items():
            if at is not None:
                self.success.labels(name, ROUTE_OF[task]).set(at.timestamp())
        for failure in past.history.failures:
            self.failure.labels(name, ROUTE_OF[failure.task]).set(failure.at.timestamp())
        self.unverified.labels(name).set(past.history.unverified)
        self.bad.labels(name).set(len(past.bad))
        if past.restored_in is not None:
            self.rto.labels(name).set(past.restored_in.total_seconds())
        ledger = str(self._options[name].state_dir)
        self.undelivered.labels(ledger).set(past.backlog.waiting)
        self.parked.labels(ledger).set(past.backlog.parked)
        self.oldest.labels(ledger).set(past.backlog.oldest.timestamp() if past.backlog.oldest else 0)
        self._newest_backup(name, past)

    def _newest_backup(self, name: str, past: Past) -> None:
        if past.newest is None:
            return
        manifest = past.newest.manifest
        self._newest[name] = manifest.snapshot_at
        self.newest.labels(name).set(manifest.snapshot_at.timestamp())
        self.age.labels(name).set_function(partial(self._age, name))
        self.rows.labels(name).set(manifest.rows)
        self.bytes.labels(name).set(manifest.size_bytes)
        self.bytes_added.labels(name).set(manifest.bytes_added)
        self.objects.labels(name).set(len(manifest.objects))
        self.objects_added.labels(name).set(len(manifest.new_objects))

    def started(self, name: str) -> None:
        """A run begins."""
        self.running.labels(name).set(1)

    def ended(self, name: str, task: Task | None, outcome: Outcome) -> None:
        """Take the end of a run, or of a look that failed."""
        self.running.labels(name).set(0)
        self.hooks_failed.labels(name).inc(outcome.hook_failures)
        if task is None:
            self.looks_failed.labels(name).inc()
            return
        route = outcome.route or ROUTE_OF[task]
        self.runs.labels(name, route, "success" if outcome.ok else "failure").inc()
        (self.success if outcome.ok else self.failure).labels(name, route).set(self._clock().timestamp())
        self.seconds.labels(name, route).set(outcome.seconds)
        for processor, seconds in outcome.steps.items():
            self.steps.labels(name, route, processor).set(seconds)
        for result, count in (("good", outcome.good), ("bad", outcome.bad)):
            self.verified.labels(name, result).inc(count)
