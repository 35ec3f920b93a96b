"""What proofs say of a backup, all runs considered, and in which order backups are verified."""

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import UUID

import pytest

from duckback.errors import IntegrityError
from duckback.model.ids import new_id
from duckback.model.proof import (
    Level,
    Problem,
    Proof,
    Result,
    Verdict,
    Witness,
    decode_proof,
    encode_proof,
    standing,
    verification_order,
)
from duckback.model.seal import seal
from duckback.repository import layout

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NO_TIME, TIMED = UUID(int=4 << 76 | 2 << 62), "01a21293-b600-7405-990b-d975b0fd1a26"
BY = Witness(host="here", duckback_version="0.1.0", duckdb_version="2.0.0")


def on(day: int, level: Level = "data", *, good: bool = True) -> Verdict:
    return Verdict(NOON + timedelta(days=day), level, good)


def proof(level: Level = "data", result: Result = "bad", sha256: str | None = "ab" * 32) -> Proof:
    return Proof(
        backup_id=new_id(NOON),
        run_id=new_id(NOON),
        level=level,
        result=result,
        manifest_sha256=sha256,
        started_at=NOON,
        seconds=1.5,
        by=BY,
        compared="fingerprints",
        rto_seconds=None,
        problems=(Problem(object="a/duckdb/x.parquet", table="main.t", what="missing"),),
    )


def test_a_backup_that_was_never_verified_has_no_standing() -> None:
    assert standing([]) is None


@pytest.mark.parametrize(
    ("verdicts", "is_good", "newest"),
    [
        ([on(1)], True, 1),
        ([on(2, "objects"), on(1)], True, 2),
        ([on(1), on(2, good=False)], False, 2),
        ([on(2, good=False), on(3, "objects")], False, 2),
        ([on(2, good=False), on(3, "objects"), on(4)], True, 4),
        ([on(2, "objects", good=False), on(3, "restore")], True, 3),
        ([on(2, "restore", good=False), on(3, "data")], False, 2),
    ],
)
def test_a_failure_stands_until_a_run_that_looks_as_deeply_finds_nothing(
    verdicts: list[Verdict], *, is_good: bool, newest: int
) -> None:
    found = standing(verdicts)
    assert found is not None
    assert (found.is_good, found.verdict.at) == (is_good, NOON + timedelta(days=newest))


def test_what_was_verified_longest_ago_comes_first_after_what_never_was() -> None:
    old, new, never, newer = (new_id(NOON + timedelta(days=day)) for day in (1, 2, 3, 4))
    verdicts = {old: [on(9)], new: [on(1), on(5)]}
    assert verification_order([old, new, never, newer], verdicts) == [newer, never, new, old]


def test_a_proof_is_read_as_it_was_written_and_its_key_tells_its_verdict() -> None:
    written = proof()
    assert decode_proof(encode_proof(written), source="x") == written
    key = layout.proof_key("hot", written)
    name = layout.proof_of(key)
    assert name is not None
    assert (name.backup_id, name.manifest) == (written.backup_id, "ab" * 8)
    assert (name.verdict.level, name.verdict.is_good, name.verdict.at) == ("data", False, NOON)
    assert layout.backup_of_proof(key) == written.backup_id


def test_a_proof_without_a_manifest_says_so_in_its_key() -> None:
    name = layout.proof_of(layout.proof_key("hot", proof(sha256=None)))
    assert name is not None
    assert name.manifest is None


@pytest.mark.parametrize(
    "name", ["x.json", f"{NO_TIME}-data-good-none.json", "0-data-good-none.json", f"{TIMED}-deep-good-none.json"]
)
def test_other_names_are_no_proofs(name: str) -> None:
    assert layout.proof_of(str(PurePosixPath("hot/proofs") / str(UUID(int=0)) / name)) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", encode_proof(proof())[:-1], seal(b'{"format":"1"}'), seal(encode_proof(proof()))],
    ids=list("abcde"),
)
def test_what_is_no_proof_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="the source"):
        decode_proof(data, source="the source")
