"""duckback list: the committed backups."""

from datetime import UTC, datetime

from duckback.api import Listed
from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document, print_table, size


@with_options
def list_backups(call: Call) -> None:
    """List committed backups, oldest first: of --name, or of every database in the repository."""
    found = call.duckback().backups()
    if call.as_json:
        print_document("list", backups=[as_record(one) for one in found])
        return
    headings = ("backup", "name", "scope", "snapshot (UTC)", "age", "rows", "size", "added", "state")
    print_table(headings, [_row(one, datetime.now(UTC)) for one in found])


def as_record(one: Listed) -> dict[str, object]:
    """A backup as `list --json` shows it."""
    manifest = one.committed.manifest
    return {
        "id": str(manifest.backup_id),
        "name": manifest.database,
        "scope": manifest.scope,
        "status": one.status,
        "snapshot_at": manifest.snapshot_at.isoformat(),
        "parent": str(manifest.parent_id) if manifest.parent_id else None,
        "rows": manifest.rows,
        "size_bytes": manifest.size_bytes,
        "bytes_added": manifest.bytes_added,
        "retention_until": manifest.retention_until.isoformat(),
        "verified_at": one.verified_at.isoformat() if one.verified_at else None,
        "pinned": False,
    }


def _row(one: Listed, now: datetime) -> tuple[str, ...]:
    manifest = one.committed.manifest
    return (
        str(manifest.backup_id),
        manifest.database,
        manifest.scope,
        f"{manifest.snapshot_at:%Y-%m-%d %H:%M:%S}",
        _age((now - manifest.snapshot_at).total_seconds()),
        f"{manifest.rows:,}",
        size(manifest.size_bytes),
        size(manifest.bytes_added),
        _state(one),
    )


def _state(one: Listed) -> str:
    if one.standing is None:
        return one.status
    return f"{one.status} {one.standing.verdict.at:%Y-%m-%d} ({one.standing.verdict.level})"


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"
