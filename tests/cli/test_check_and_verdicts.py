"""What `check` and the metrics make of verifications: a failure stands until a run as deep finds nothing wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.place import Place

from duckback import Duckback
from duckback.audit.past import Past
from duckback.config.load import validated
from duckback.daemon.metrics import Metrics

RUN = {"database": "small", "route": "duckdb-verification"}


def past(place: Place) -> Past:
    return Duckback(place.repo, state_dir=place.state).health.past("small")


def verification(place: Place, code: int) -> str:
    ran = place.run("check", place.database, "--json")
    assert ran.code == code, ran
    return str(next(one["message"] for one in ran.json["checks"] if one["name"] == "verification"))


def metric(place: Place, name: str, labels: dict[str, str]) -> float | None:
    options = validated({"repo": str(place.repo), "state_dir": place.state, "name": "small"})
    metrics = Metrics({"small": options}, lambda: datetime.now(UTC))
    metrics.looked("small", past(place))
    return metrics.registry.get_sample_value(f"duckback_{name}", labels)


def overwrite(path: Path, data: bytes) -> bytes:
    before = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data)
    return before


def test_a_look_that_is_less_deep_does_not_clear_what_a_deeper_one_has_found(full: Place) -> None:
    before = overwrite(full.objects()[0], b"other bytes")
    assert full.run("verify", "--level", "data").code == 20
    overwrite(full.objects()[0], before)
    full.run("verify").worked()
    assert full.backup_ids()[0] in verification(full, 2)
    assert metric(full, "bad_backups", {"database": "small"}) == 1
    assert metric(full, "unverified_backups", {"database": "small"}) == 1
    full.run("verify", "--level", "data").worked()
    assert "not verified yet: 0" in verification(full, 0)
    assert metric(full, "bad_backups", {"database": "small"}) == 0


def test_a_manifest_that_was_found_damaged_stays_bad(full: Place) -> None:
    full.change()
    full.run("backup", full.database).worked()
    damaged, sound = full.backup_ids()
    path = next(one for one in full.manifests() if damaged in one.name)
    overwrite(path, b"{}")
    assert full.run("verify").code == 20
    found = verification(full, 2)
    assert damaged in found
    assert sound not in found


def test_a_backup_that_was_found_to_be_gone_stays_bad(full: Place) -> None:
    full.change()
    full.run("backup", full.database, "--full").worked()
    gone, _ = full.backup_ids()
    next(one for one in full.manifests() if gone in one.name).unlink()
    assert full.run("verify").code == 20
    assert gone in verification(full, 2)


def test_a_run_that_found_something_wrong_is_no_success(full: Place) -> None:
    Duckback(full.repo, state_dir=full.state, clock=lambda: datetime.now(UTC) - timedelta(seconds=5)).verify()
    good = metric(full, "last_success_timestamp_seconds", RUN)
    assert good is not None
    overwrite(full.objects()[0], b"other bytes")
    assert full.run("verify").code == 20
    assert metric(full, "last_success_timestamp_seconds", RUN) == good


def test_a_proof_of_somebody_else_does_not_spare_a_backup_its_verification(full: Place) -> None:
    place = Place(full.root)
    place.state = full.root / "another state"
    place.run("verify").worked()
    assert past(place).history.unverified == 0
    assert past(full).history.unverified == 1
