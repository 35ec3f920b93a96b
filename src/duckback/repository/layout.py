"""Keys: which object lies where. Pure; every name that a user chose is encoded before it enters a key."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote, unquote
from uuid import UUID

from duckback.model.ids import time_of
from duckback.model.lease import LeaseKind
from duckback.model.proof import Level, Proof, Verdict

REPOSITORY_KEY = "repository.json"

# Schema and table are in one file name with a UUID, and file systems take 255 bytes: 120 each would not fit.
_LONGEST_NAME = 80
_DIGEST_CHARS = 16
_MANIFEST = re.compile(r"[^/]+/manifests/(?P<id>[0-9a-f-]{36})\.json")
_TOMBSTONE = re.compile(r"[^/]+/pruned/(?P<id>[0-9a-f-]{36})(?:\.(?P<stage>plan|done))?\.json")
_PIN = re.compile(r"[^/]+/pins/(?P<id>[0-9a-f-]{36})\.json")
_LEASE = re.compile(r"[^/]+/leases/(?P<kind>backup|prune)/(?P<generation>[0-9]{6})-(?P<beat>[0-9]{6})\.json")
_WRITER = re.compile(r"(?P<id>[0-9a-f-]{36})-[^/]+")
_PROOF = re.compile(r"[^/]+/proofs/(?P<id>[0-9a-f-]{36})/[^/]+\.json")
_PROOF_NAME = re.compile(
    r"(?P<run>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<level>objects|data|restore)-(?P<result>good|bad)"
    r"-(?P<manifest>[0-9a-f]{16}|none)\.json"
)


def encode_name(name: str) -> str:
    """A name as part of a key: every byte but [A-Za-z0-9_-] percent-encoded, long ones cut and made unique by a hash.

    A cut name cannot be decoded; the manifest holds the real one.
    """
    # urllib never encodes "." and "~", and a name made of dots must not become a path.
    encoded = quote(name, safe="").replace(".", "%2E").replace("~", "%7E")
    if len(encoded) <= _LONGEST_NAME:
        return encoded
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARS]
    return f"{encoded[:_LONGEST_NAME]}~{digest}"


def decode_name(encoded: str) -> str | None:
    """The name behind an encoded one; None where it was cut."""
    return None if "~" in encoded else unquote(encoded)


def object_key(
    database: str, *, scope: str, started_at: datetime, backup_id: UUID, schema: str, table: str, ending: str
) -> str:
    """Where an object lies: `<database>/duckdb/<scope>/yyyy/mm/dd/<backup-id>-<schema>.<table>.<ending>`.

    The date is that of the backup's start in UTC, so that one backup never spans two dates.
    """
    folder = f"{encode_name(database)}/duckdb/{scope}/{started_at:%Y/%m/%d}"
    return f"{folder}/{backup_id}-{encode_name(schema)}.{encode_name(table)}.{ending}"


def data_prefix(database: str) -> str:
    """What the keys of all of a database's Parquet objects start with."""
    return f"{encode_name(database)}/duckdb/"


def manifest_key(database: str, backup_id: UUID) -> str:
    """Where the manifest of a backup lies."""
    return f"{manifest_prefix(database)}{backup_id}.json"


def manifest_prefix(database: str) -> str:
    """What the keys of all of a database's manifests start with."""
    return f"{encode_name(database)}/manifests/"


def backup_of_manifest(key: str) -> UUID | None:
    """The backup whose manifest a key is, None where it is not one."""
    found = _MANIFEST.fullmatch(key)
    return UUID(found["id"]) if found else None


def ending_of(kind: Literal["rows", "added", "removed", "native"], part: int) -> str:
    """How the name of an object of that kind ends."""
    match kind:
        case "rows":
            return f"{part:04d}.parquet"
        case "added":
            return f"added.{part:04d}.parquet"
        case "removed":
            return "removed.parquet"
        case "native":
            return "native.duckdb"


def tombstone_prefix(database: str) -> str:
    """What the keys of all of a database's tombstones start with."""
    return f"{encode_name(database)}/pruned/"


def tombstone_key(database: str, backup_id: UUID, stage: Literal["tombstone", "plan", "done"] = "tombstone") -> str:
    """Where it says that a backup is being pruned; which of its objects go; that they are gone."""
    ending = "" if stage == "tombstone" else f".{stage}"
    return f"{tombstone_prefix(database)}{backup_id}{ending}.json"


def stage_of(key: str) -> tuple[UUID, Literal["tombstone", "plan", "done"]] | None:
    """The backup that a key below `pruned/` is about, and which of the three it is; None for other keys."""
    found = _TOMBSTONE.fullmatch(key)
    if found is None:
        return None
    match found["stage"]:
        case "plan":
            return UUID(found["id"]), "plan"
        case "done":
            return UUID(found["id"]), "done"
    return UUID(found["id"]), "tombstone"


def writer_of(key: str) -> UUID | None:
    """The backup that wrote an object, by its key; None for keys of other things."""
    found = _WRITER.fullmatch(key.rpartition("/")[2])
    return UUID(found["id"]) if found else None


def pin_prefix(database: str) -> str:
    """What the keys of all of a database's pins start with."""
    return f"{encode_name(database)}/pins/"


def pin_key(database: str, backup_id: UUID) -> str:
    """Where a backup's pin lies."""
    return f"{pin_prefix(database)}{backup_id}.json"


def backup_of_pin(key: str) -> UUID | None:
    """The backup that a pin is about, None where the key is not that of one."""
    found = _PIN.fullmatch(key)
    return UUID(found["id"]) if found else None


def lease_prefix(database: str, kind: LeaseKind | None = None) -> str:
    """What the keys of a database's leases start with: of all, or of one kind."""
    return f"{encode_name(database)}/leases/{f'{kind}/' if kind else ''}"


def lease_key(database: str, kind: LeaseKind, generation: int, beat: int) -> str:
    """Where the holder of a lease says, for the so manieth time, that it is at work."""
    return f"{lease_prefix(database, kind)}{generation:06d}-{beat:06d}.json"


def lease_of(key: str) -> tuple[LeaseKind, int, int] | None:
    """Kind, generation and beat of a lease's key; None for other keys."""
    found = _LEASE.fullmatch(key)
    if found is None:
        return None
    kind: LeaseKind = "backup" if found["kind"] == "backup" else "prune"
    return kind, int(found["generation"]), int(found["beat"])


def backup_of_proof(key: str) -> UUID | None:
    """The backup that a proof is about, None where the key is not that of one."""
    found = _PROOF.fullmatch(key)
    return UUID(found["id"]) if found else None


def proof_prefix(database: str) -> str:
    """What the keys of all proofs of a database's backups start with."""
    return f"{encode_name(database)}/proofs/"


def proof_key(database: str, proof: Proof) -> str:
    """Where a proof lies: `<database>/proofs/<backup-id>/<run-id>-<level>-<result>-<manifest>.json`.

    `manifest` is the beginning of the manifest's SHA-256, 16 hex digits, or `none`: so that a listing tells what is to
    be thought of every backup, and not one proof needs to be read for it.
    """
    manifest = (proof.manifest_sha256 or "none")[:_DIGEST_CHARS]
    name = f"{proof.run_id}-{proof.level}-{proof.result}-{manifest}.json"
    return f"{proof_prefix(database)}{proof.backup_id}/{name}"


@dataclass(frozen=True)
class ProofName:
    """What a proof's key says; `manifest` is the beginning of the manifest's SHA-256, if it could be read."""

    backup_id: UUID
    verdict: Verdict
    manifest: str | None


def proof_of(key: str) -> ProofName | None:
    """What a key says of the proof under it; None where it is not that of one."""
    backup_id, found = backup_of_proof(key), _PROOF_NAME.fullmatch(key.rpartition("/")[2])
    if backup_id is None or found is None:
        return None
    try:
        at = time_of(UUID(found["run"]))
    except ValueError:
        return None
    level: Level = found["level"]  # type: ignore[assignment]  # the expression has these alone
    manifest = None if found["manifest"] == "none" else found["manifest"]
    return ProofName(backup_id, Verdict(at, level, found["result"] == "good"), manifest)
