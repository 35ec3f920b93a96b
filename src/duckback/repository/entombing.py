"""What is written on tombstones."""

from uuid import UUID

from duckback.model.policy import Decision
from duckback.model.summary import Summary
from duckback.model.tombstone import Cause, Doomed, Tombstone
from duckback.repository import layout


def expiry(decision: Decision) -> Tombstone:
    """Of a backup that retention drops: all that its manifest refers to."""
    return _tombstone(decision.summary, "retention", decision.summary.objects, "; ".join(decision.reasons))


def withdrawal(summary: Summary, pruned: UUID) -> Tombstone:
    """Of a backup that refers to what goes with another one: what it had written itself."""
    own = tuple((key, size) for key, size in summary.objects if layout.writer_of(key) == summary.backup_id)
    return _tombstone(summary, "withdrawn", own, f"it refers to what goes with backup {pruned}")


def _tombstone(summary: Summary, cause: Cause, objects: tuple[tuple[str, int], ...], reason: str) -> Tombstone:
    return Tombstone(
        backup_id=summary.backup_id,
        cause=cause,
        scope=summary.scope,
        objects=tuple(Doomed(key=key, size=size) for key, size in objects),
        reason=reason,
        started_at=summary.started_at,
        retention_days=(summary.retention_until - summary.started_at).days,
        manifest_sha256=summary.manifest_sha256,
    )
