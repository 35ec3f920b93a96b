from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid5

import pytest

from duckback.model.events import Event, EventKind, database_account_id, event_id, repository_account_id

BACKUP = UUID("0190b5a0-0000-7000-8000-000000000001")
RUN = UUID("0190b5a0-0000-7000-8000-000000000002")
REPOSITORY = UUID("11111111-2222-4333-8444-555555555555")
STARTED = Event(
    kind=EventKind.STARTED,
    backup_id=BACKUP,
    repository_id=REPOSITORY,
    database="hot",
    scope="full",
    started_at=datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC),
    retention_days=90,
)


def test_the_kinds_are_the_words_of_the_ids() -> None:
    assert [str(kind) for kind in EventKind] == [
        "started",
        "completed",
        "failed",
        "recovery",
        "verification",
        "pruned",
    ]


def test_a_completed_event_has_the_id_of_its_backup() -> None:
    assert event_id(EventKind.COMPLETED, BACKUP) == BACKUP


@pytest.mark.parametrize("kind", ["started", "failed", "pruned"])
def test_the_other_events_of_a_backup_derive_their_id_from_backup_and_kind(kind: str) -> None:
    assert event_id(EventKind(kind), BACKUP) == uuid5(BACKUP, kind)


@pytest.mark.parametrize("kind", ["recovery", "verification"])
def test_events_of_a_run_derive_their_id_from_backup_kind_and_run(kind: str) -> None:
    assert event_id(EventKind(kind), BACKUP, RUN) == uuid5(BACKUP, kind + "0190b5a0-0000-7000-8000-000000000002")


def test_ids_and_accounts_are_the_frozen_ones() -> None:
    assert event_id(EventKind.STARTED, BACKUP) == UUID("6d08a877-6bec-5ed6-b0a0-996dbfc15808")
    assert event_id(EventKind.RECOVERY, BACKUP, RUN) == UUID("212208d8-a3b0-56a5-8f70-ef94e5f5b40f")
    assert database_account_id(REPOSITORY, "hot") == UUID("6a6d6b49-2f58-53fb-9b2b-2fabbf3eef07")
    assert database_account_id(REPOSITORY, "Größe 大") == UUID("7a2124de-c3d6-5042-8a0c-503383b9a57a")
    assert repository_account_id(REPOSITORY) == UUID("f592050a-3bce-5a95-83a2-f83c0294248e")


def test_a_database_named_repository_does_not_get_the_account_of_the_repository() -> None:
    assert database_account_id(REPOSITORY, "repository") != repository_account_id(REPOSITORY)


@pytest.mark.parametrize(
    ("kind", "run"), [(EventKind.STARTED, RUN), (EventKind.RECOVERY, None), (EventKind.VERIFICATION, None)]
)
def test_a_run_id_belongs_to_recovery_and_verification_only(kind: EventKind, run: UUID | None) -> None:
    with pytest.raises(ValueError, match="run id"):
        event_id(kind, BACKUP, run)
    with pytest.raises(ValueError, match="run id"):
        replace(STARTED, kind=kind, run_id=run)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"database": ""}, "no name"),
        ({"database": "\udcff"}, "surrogates"),
        ({"details": {"error_message": "\udcff"}}, "surrogates"),
        ({"scope": "differential"}, "unknown scope"),
        ({"amount": 1}, "amount 1 in a started event"),
        ({"kind": EventKind.COMPLETED, "amount": -1}, "amount -1"),
        ({"started_at": datetime(2026, 1, 1)}, "not in UTC"),  # noqa: DTZ001 - the point of the test
        ({"started_at": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, "not in UTC"),
        ({"manifest_sha256": "ab"}, "not a SHA-256"),
        ({"manifest_sha256": "A" * 64}, "not a SHA-256"),
        ({"manifest_sha256": "a" * 64 + "\n"}, "not a SHA-256"),
    ],
)
def test_an_event_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(STARTED, **changes)


@pytest.mark.parametrize("kind", [EventKind.COMPLETED, EventKind.PRUNED])
def test_only_what_moves_bytes_has_an_amount(kind: EventKind) -> None:
    assert replace(STARTED, kind=kind, amount=5).amount == 5


def test_an_event_can_be_an_element_of_a_set() -> None:
    assert len({STARTED, replace(STARTED), replace(STARTED, details={"a": "b"})}) == 2
