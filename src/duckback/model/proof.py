"""Proofs: what a later verification or a test restore of a backup came to, kept beside it in the repository."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from pydantic import ValidationError

from duckback.errors import IntegrityError
from duckback.model.catalog import Frozen
from duckback.model.manifest import Seconds, Sha256
from duckback.model.seal import sealed, unseal

Level = Literal["objects", "data", "restore"]
"""How deeply: as the store answers; every byte and row; as a database again."""

LEVELS: tuple[Level, ...] = get_args(Level)
Result = Literal["good", "bad"]
Compared = Literal["fingerprints", "counts"]
"""What of the rows: `counts` where the DuckDB at hand may hash otherwise than the one that took the backup."""

RTO = timedelta(minutes=15)
"""The time in which a database is to be back."""

MAX_PROOF_BYTES = 16 << 20


class Problem(Frozen):
    """What is wrong with a backup: the object and table concerned, where it is one, and what."""

    object: str | None
    table: str | None
    what: str


class Witness(Frozen):
    """Who has proven it."""

    host: str
    duckback_version: str
    duckdb_version: str


class Proof(Frozen):
    """`proofs/<backup-id>/<run-id>-<level>-<result>.json`.

    Attributes:
        manifest_sha256: of the manifest's bytes; None where it could not be read.
        started_at: when the run began, UTC.
        seconds: what this backup took.
        compared: what of the rows was compared; None where none were.
        rto_seconds: the time in which a restore is to succeed; None below level `restore`.
    """

    format: Literal["1"] = "1"
    backup_id: UUID
    run_id: UUID
    level: Level
    result: Result
    manifest_sha256: Sha256 | None
    started_at: datetime
    seconds: Seconds
    by: Witness
    compared: Compared | None
    rto_seconds: int | None
    problems: tuple[Problem, ...]


def encode_proof(proof: Proof) -> bytes:
    """The proof's bytes: JSON, UTF-8, one line, sealed."""
    return sealed(proof)


def decode_proof(data: bytes, *, source: str) -> Proof:
    """The proof in the bytes; strict, because whoever wrote them is not trusted.

    Raises:
        IntegrityError: the bytes are none; `source` is named.
    """
    document = unseal(data)
    try:
        if document is not None:
            return Proof.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise IntegrityError(f"{source} is no proof: {where}: {first['msg']}") from error
    raise IntegrityError(f"{source} is damaged: the checksum at its end is not that of its bytes")


@dataclass(frozen=True)
class Verdict:
    """What one run found of a backup."""

    at: datetime
    level: Level
    is_good: bool


@dataclass(frozen=True)
class Standing:
    """What is to be thought of a backup, all runs considered.

    Attributes:
        is_good: whether no failure stands.
        verdict: the failure that stands, else the newest run.
    """

    is_good: bool
    verdict: Verdict


def standing(verdicts: Iterable[Verdict]) -> Standing | None:
    """The newest verdict counts, but a failure stands until a run that looks as deeply finds nothing wrong."""
    ordered = sorted(verdicts, key=lambda one: one.at)
    if not ordered:
        return None
    failure: Verdict | None = None
    for one in ordered:
        if not one.is_good:
            failure = one
        elif failure is not None and LEVELS.index(one.level) >= LEVELS.index(failure.level):
            failure = None
    return Standing(failure is None, failure or ordered[-1])


def verification_order(ids: Sequence[UUID], verdicts: Mapping[UUID, Sequence[Verdict]]) -> list[UUID]:
    """The backups whose last run is longest ago first, so that runs which end early reach all in the end.

    Those that were never verified come before all others, the newest of them first.
    """
    last = {one: max(verdict.at for verdict in verdicts[one]) for one in ids if verdicts.get(one)}
    never = sorted((one for one in ids if one not in last), reverse=True)
    return [*never, *sorted(last, key=lambda one: (last[one], one))]
