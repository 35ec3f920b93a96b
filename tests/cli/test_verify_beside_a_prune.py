"""duckback verify while backups are being pruned: what goes is no damage, and what is gone is told at every level."""

from typing import Any
from uuid import UUID

import pytest
from support.graves import entomb
from support.place import Place

from duckback.repository.choosing import choose
from duckback.repository.survey import survey
from duckback.store.local import LocalStore

LEVELS = ["objects", "data", "restore"]


@pytest.fixture
def two(full: Place) -> Place:
    """A place with two full backups."""
    full.run("backup", full.database, "--full").worked()
    return full


def begin_to_prune(place: Place, backup_id: str) -> None:
    """Its tombstone is there, its objects are gone, its manifest is not yet."""
    entomb(LocalStore(place.repo), "small", UUID(backup_id))
    for path in place.objects():
        if path.name.startswith(backup_id):
            path.unlink()


@pytest.mark.parametrize("level", LEVELS)
def test_a_backup_that_is_being_pruned_is_no_backup_any_more(two: Place, level: str) -> None:
    first, second = two.backup_ids()
    begin_to_prune(two, first)
    two.run("verify", first, "--level", level).failed(12, first, "is being pruned")
    answer = two.run("verify", "--level", level, "--json").worked().json
    assert [(one["id"], one["result"]) for one in answer["backups"]] == [(second, "good")]
    assert not list(two.repo.rglob(f"proofs/{first}/*"))


@pytest.mark.parametrize("level", LEVELS)
def test_a_backup_that_is_gone_is_told_and_on_record(two: Place, level: str) -> None:
    first, second = two.backup_ids()
    two.manifests()[0].unlink()
    ran = two.run("verify", "--level", level, "--json")
    ran.failed(20)
    assert [(one["id"], one["result"]) for one in ran.json["backups"]] == [(first, "bad"), (second, "good")]
    assert "the backup is gone" in ran.json["backups"][0]["problems"][0]["what"]
    (proof,) = two.repo.rglob(f"proofs/{first}/*.json")
    assert proof.name.endswith(f"-{level}-bad-none.json")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("how", ["one", "all"])
def test_a_backup_that_begins_to_be_pruned_meanwhile_is_not_called_damaged(
    two: Place, monkeypatch: pytest.MonkeyPatch, level: str, how: str
) -> None:
    first, second = two.backup_ids()

    def then_prune(looked: Any) -> Any:
        if not list(two.repo.rglob("pruned/*")):
            begin_to_prune(two, first)
        return looked

    monkeypatch.setattr("duckback.processors.verify_duckdb_backups.survey", lambda *words: then_prune(survey(*words)))
    monkeypatch.setattr(
        "duckback.processors.select_backup.choose", lambda *words, **more: then_prune(choose(*words, **more))
    )
    ran = two.run("verify", *([first] if how == "one" else []), "--level", level, "--json")
    if how == "one":
        ran.failed(12, first, "is being pruned")
    else:
        ran.worked()
        assert ([one["id"] for one in ran.json["backups"]], ran.json["not_reached"]) == ([second], [])
    assert not list(two.repo.rglob(f"proofs/{first}/*"))
    assert two.staged() == []
