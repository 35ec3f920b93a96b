"""Every call that a run makes to the store fails once: what is transient goes unnoticed, the rest fails clearly."""

import shutil
from collections.abc import Callable, Iterator
from itertools import cycle

import pytest
from support.bench import Bench, benches
from support.faulty import Fault, FaultyStore

from duckback.errors import (
    AccessDenied,
    DuckbackError,
    IntegrityError,
    StoreError,
    StoreUnavailable,
)
from duckback.routes.exchange import VerificationExchange
from duckback.source.demo import differing_rows
from duckback.store.retrying import RetryingStore

TRANSIENT = [
    StoreUnavailable("connection reset by peer"),
    StoreUnavailable("read timed out"),
    StoreUnavailable("SlowDown: reduce your request rate"),
    StoreUnavailable("503: Service Unavailable"),
    StoreUnavailable("InternalError: 500"),
]
LASTING = [
    AccessDenied("ExpiredToken: the token has expired", hint="Renew it."),
    AccessDenied("RequestTimeTooSkewed", hint="Set the clock of this machine."),
    StoreError("cannot store: No space left on device"),
    IntegrityError("it ended before the size that the store had announced"),
    StoreUnavailable("down for good"),
]


class Attempt:
    """One run of a verb on a copy of its own, and what can be said of it afterwards."""

    def __init__(self, bench: Bench, verb: str, *faults: Fault) -> None:
        self.bench, self.root = bench, bench.folder()
        self.store = store = FaultyStore(bench.copy(), *faults)
        self.target = self.root / "target" / "b.duckdb"
        self.target.parent.mkdir(parents=True)
        self.pauses: list[float] = []
        self.error: DuckbackError | None = None
        self.problems: list[str] = []
        self._before = {one.key for one in store.inner.list("small/manifests/")}
        patient = RetryingStore(store, seconds=60, sleep=self.pauses.append)
        patient._answers = True
        self._run(verb, patient)
        self.store.faults.clear()

    def _run(self, verb: str, store: RetryingStore) -> None:
        duckback = self.bench.open(store, self.root / "state")
        verbs: dict[str, Callable[[], object]] = {
            "full": lambda: duckback.backup(self.bench.database, scope="full"),
            "incremental": lambda: duckback.backup(self.bench.database, scope="incremental"),
            "restore": lambda: duckback.restore(self.target),
            "verify": lambda: self._judge(duckback.verify(level="data"), 2),
            "test-restore": lambda: self._judge(duckback.test_restore(), 1),
        }
        try:
            verbs[verb]()
        except DuckbackError as error:
            self.error = error

    def _judge(self, done: VerificationExchange, expected: int) -> None:
        assert len(done.results) == expected
        self.problems = [problem.what for one in done.results for problem in one.problems]

    def assert_nothing_lies(self, verb: str) -> None:
        duckback = self.bench.open(self.store.inner, self.root / "state")
        there = {one.key for one in self.store.inner.list("small/manifests/")}
        assert there >= self._before
        if verb in {"full", "incremental"}:
            assert len(there - self._before) == 1 or self.error is not None
        elif verb == "restore":
            assert self.target.exists() == (self.error is None)
            assert [path.name for path in self.target.parent.iterdir()] == [self.target.name] * self.target.exists()
        assert not any((self.root / "state" / "staging").glob("*"))
        assert [one.is_good for one in duckback.verify(level="data").results] == [True] * len(there)
        newest = self.root / "newest.duckdb"
        duckback.restore(newest)
        expected = self.bench.database if there != self._before else self.bench.before
        assert not any(differing_rows(expected, newest).values())
        shutil.rmtree(self.root)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield from benches(tmp_path_factory.mktemp("bench"))


VERBS = ["full", "incremental", "restore", "verify", "test-restore"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_transient_fault_at_any_call_goes_unnoticed(bench: Bench, verb: str) -> None:
    calls = Attempt(bench, verb).store.calls
    assert len(calls) >= 8
    errors = cycle(TRANSIENT)
    for number, (method, _) in enumerate(calls, start=1):
        # A read whose answer is lost is a read that failed; it is what writes that may have been carried out.
        for after in (False, True) if method in {"create", "put_file", "delete"} else (False,):
            attempt = Attempt(bench, verb, Fault("", next(errors), first=number, last=number + 1, after=after))
            assert (attempt.error, attempt.problems) == (None, []), (number, method, after)
            assert attempt.pauses
            if verb in {"full", "incremental"}:
                attempt.assert_nothing_lies(verb)


@pytest.mark.parametrize("verb", VERBS)
def test_a_lasting_fault_at_any_call_fails_clearly_or_does_no_harm(bench: Bench, verb: str) -> None:
    calls = Attempt(bench, verb).store.calls
    errors = cycle(LASTING)
    for number, (method, key) in enumerate(calls, start=1):
        error = next(errors)
        fault = Fault(method, error, first=1 + calls[: number - 1].count((method, key)), last=999, key=key)
        attempt = Attempt(bench, verb, fault)
        heard = [*attempt.problems, *([str(attempt.error)] if attempt.error is not None else [])]
        # Only what holds other bytes than were announced is damaged; whatever keeps from looking is no verdict.
        assert not attempt.problems or isinstance(error, IntegrityError)
        assert all(error.message in what for what in heard), (number, method, key)
        attempt.assert_nothing_lies(verb)
