"""A store that does not answer for now is asked again; whatever else it says is passed on at once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.faulty import Fault, FaultyStore

from duckback.errors import AccessDenied, AlreadyExists, NotFound, StoreUnavailable, StoreUnreachable
from duckback.store.digest import digest_file
from duckback.store.memory import MemoryStore
from duckback.store.retrying import RetryingStore

DOWN = StoreUnavailable("the store is down")


class Patient:
    """A retrying store over a faulty one that has answered once; `pauses` are what it would have slept."""

    def __init__(self, seconds: float = 60) -> None:
        self.pauses: list[float] = []
        self.faulty = FaultyStore(MemoryStore())
        self.store = RetryingStore(self.faulty, seconds=seconds, sleep=self.pauses.append)
        self.store.create("there", b"it is")

    def fail(self, method: str, times: int, **changes: Any) -> None:
        self.faulty.faults = [Fault(method, changes.pop("error", DOWN), last=times, **changes)]
        self.faulty.calls.clear()


@pytest.fixture
def patient() -> Patient:
    return Patient()


def put(store: RetryingStore, path: Path, heard: list[int]) -> None:
    path.write_bytes(b"rows" * 100)
    digest = digest_file(path, store.part_size)
    store.put_file("k", path, digest, metadata={}, content_type="x", on_bytes=heard.append)


@pytest.mark.parametrize("method", ["get", "fetch", "head", "list", "folders", "delete", "abort_uploads"])
def test_what_fails_for_now_is_tried_again_until_it_works(patient: Patient, tmp_path: Path, method: str) -> None:
    patient.fail(method, 4)
    arguments: dict[str, tuple[Any, ...]] = {
        "get": ("there",),
        "fetch": ("there", tmp_path / "f"),
        "delete": (["there"],),
    }
    options: dict[str, dict[str, Any]] = {"get": {"limit": 9}, "abort_uploads": {"before": datetime.now(UTC)}}
    given = arguments.get(method, ("there" if method == "head" else "",))
    getattr(patient.store, method)(*given, **options.get(method, {}))
    assert len(patient.pauses) == 4
    assert [name for name, _ in patient.faulty.calls] == [method] * 5


def test_pauses_grow_and_are_random(patient: Patient) -> None:
    patient.fail("get", 99)
    with pytest.raises(StoreUnavailable):
        patient.store.get("there", limit=9)
    assert all(0 <= pause <= 10 for pause in patient.pauses)
    assert max(patient.pauses[4:]) > max(patient.pauses[:2])
    assert len(set(patient.pauses)) == len(patient.pauses)


def test_patience_ends_and_the_last_error_is_passed_on(patient: Patient) -> None:
    patient.fail("get", 999)
    with pytest.raises(StoreUnavailable, match="the store is down"):
        patient.store.get("there", limit=9)
    assert 60 <= sum(patient.pauses) < 71


def test_a_store_that_was_waited_for_in_vain_is_not_waited_for_again_until_it_answers(patient: Patient) -> None:
    patient.fail("get", 999)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            patient.store.get("there", limit=9)
    assert 60 <= sum(patient.pauses) < 71
    patient.faulty.faults.clear()
    assert patient.store.get("there", limit=9) == b"it is"
    patient.fail("get", 1)
    assert patient.store.get("there", limit=9) == b"it is"


@pytest.mark.parametrize(("error", "is_waited_for"), [(StoreUnreachable("nobody is there"), False), (DOWN, True)])
def test_where_nothing_ever_answered_nothing_is_waited_for(error: StoreUnavailable, *, is_waited_for: bool) -> None:
    pauses: list[float] = []
    store = RetryingStore(FaultyStore(MemoryStore(), Fault("get", error, last=99)), seconds=60, sleep=pauses.append)
    with pytest.raises(StoreUnavailable):
        store.get("there", limit=9)
    assert bool(pauses) == is_waited_for


@pytest.mark.parametrize("error", [AccessDenied("no"), NotFound("nothing"), AlreadyExists("taken")])
def test_a_refusal_is_passed_on_at_once(patient: Patient, error: Exception) -> None:
    patient.fail("head", 1, error=error)
    with pytest.raises(type(error)):
        patient.store.head("there")
    assert patient.pauses == []


def test_a_create_whose_answer_was_lost_is_one_create(patient: Patient) -> None:
    patient.fail("create", 1, after=True)
    patient.store.create("new", b"data")
    assert patient.store.get("new", limit=9) == b"data"


def test_a_create_that_another_won_meanwhile_is_refused(patient: Patient) -> None:
    patient.fail("create", 1)
    patient.faulty.inner.create("new", b"theirs")
    with pytest.raises(AlreadyExists):
        patient.store.create("new", b"mine")
    assert patient.store.get("new", limit=9) == b"theirs"


def test_a_file_whose_answer_was_lost_is_stored_once_and_its_bytes_are_counted_once(
    patient: Patient, tmp_path: Path
) -> None:
    heard: list[int] = []
    patient.fail("put_file", 2, after=True)
    put(patient.store, tmp_path / "f", heard)
    assert sum(heard) == 400
    assert patient.store.head("k").size == 400


def test_a_key_that_holds_other_bytes_is_not_taken_for_a_lost_answer(patient: Patient, tmp_path: Path) -> None:
    patient.faulty.inner.create("k", b"other")
    patient.fail("put_file", 1)
    with pytest.raises(AlreadyExists):
        put(patient.store, tmp_path / "f", [])


def test_a_fetch_begins_again_with_a_new_file(patient: Patient, tmp_path: Path) -> None:
    heard: list[int] = []
    patient.fail("fetch", 2)
    patient.store.fetch("there", tmp_path / "f", on_bytes=heard.append)
    assert (tmp_path / "f").read_bytes() == b"it is"
    assert sum(heard) == 5
