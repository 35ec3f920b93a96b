"""What a ledger is told of backups that are gone: that they were there, and what went with them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.manifests import a_manifest
from support.world import held
from support.writers import SIZE, a_ref, the_id, with_table

from duckback.ledger.base import Entry
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.pruned import PrunedEvents
from duckback.model.events import EventKind, event_of_backup, repository_account_id
from duckback.model.manifest import Manifest
from duckback.model.policy import Decision
from duckback.model.summary import Summary
from duckback.model.tombstone import Tombstone
from duckback.repository.entombing import expiry, withdrawal

NOW = datetime(2026, 11, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    with EmbeddedLedger(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def manifest() -> Manifest:
    """Of an incremental: one object of its own, one of an earlier backup."""
    base = a_manifest(
        the_id(99), backup_id=the_id(2), scope="incremental", started_at=NOW, retention_until=NOW + timedelta(days=90)
    )
    return with_table(base, (a_ref(the_id(1), "full"), a_ref(the_id(2), "incremental")))


def tombstone(manifest: Manifest) -> Tombstone:
    return expiry(Decision(Summary.of(manifest, held(manifest).sha256), is_kept=False, reasons=("old",)))


def entries(ledger: EmbeddedLedger) -> list[Entry]:
    return list(ledger.entries())


def test_a_recorded_backup_is_recorded_as_pruned_once_whoever_repeats_it(
    ledger: EmbeddedLedger, manifest: Manifest
) -> None:
    ledger.record(event_of_backup(manifest, held(manifest).sha256, EventKind.COMPLETED))
    events = PrunedEvents(ledger, the_id(99), "hot")
    assert events.is_completed(the_id(2))
    for _ in range(2):
        events.record(tombstone(manifest), 2 * SIZE)
    assert [(one.kind.value, one.transfer.amount) for one in entries(ledger)] == [("completed", 7), ("pruned", 14)]
    assert not events.is_completed(the_id(2))
    assert not events.is_open(the_id(2))


def test_a_backup_whose_run_died_before_its_record_is_recorded_as_it_would_have_been(
    ledger: EmbeddedLedger, manifest: Manifest
) -> None:
    PrunedEvents(ledger, the_id(99), "hot").record(tombstone(manifest), SIZE)
    late = ledger.record(event_of_backup(manifest, held(manifest).sha256, EventKind.COMPLETED))
    assert [one.kind.value for one in entries(ledger)] == ["completed", "pruned"]
    assert late == entries(ledger)[0], "the same event, whoever records it"
    debited, credited = ledger.balance(repository_account_id(the_id(99)).int)
    assert credited - debited == 0


def test_what_a_run_took_back_itself_was_never_there(ledger: EmbeddedLedger, manifest: Manifest) -> None:
    own = withdrawal(Summary.of(manifest, held(manifest).sha256), the_id(1))
    assert [one.key for one in own.objects] == [a_ref(the_id(2), "incremental").key]
    PrunedEvents(ledger, the_id(99), "hot").record(own, 0)
    assert entries(ledger) == []


def test_a_backup_that_began_is_open_until_it_is_known_how_it_ended(ledger: EmbeddedLedger, manifest: Manifest) -> None:
    events = PrunedEvents(ledger, the_id(99), "hot")
    assert not events.is_open(the_id(2))
    ledger.record(event_of_backup(manifest, held(manifest).sha256, EventKind.STARTED))
    assert events.is_open(the_id(2))
    ledger.record(event_of_backup(manifest, held(manifest).sha256, EventKind.FAILED))
    assert not events.is_open(the_id(2))
