"""duckback list: the committed backups."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from duckback.api import Listed, Listing
from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document, print_table, size
from duckback.errors import IntegrityError
from duckback.model.ids import time_of
from duckback.repository.leases import Lease


@with_options
def list_backups(
    call: Call,
    leases: Annotated[bool, typer.Option("--leases", help="Who is at work on the repository, or died at it.")] = False,
) -> int:
    """List committed backups, oldest first: of --name, or of every database; exit 20 if a manifest is damaged."""
    if leases:
        _list_leases(call)
        return 0
    found = call.duckback().listing()
    for one in found.damaged:
        notice(one.error.message)
    if call.as_json:
        print_document("list", backups=[as_record(one) for one in found.backups])
    else:
        headings = ("backup", "name", "scope", "snapshot (UTC)", "age", "rows", "size", "added", "state")
        print_table(headings, _rows(found, datetime.now(UTC)), numbers={"age", "rows", "size", "added"}, style=_style)
    return IntegrityError.exit_code if found.damaged else 0


def _list_leases(call: Call) -> None:
    found = call.duckback().leases()
    if call.as_json:
        print_document("list", leases=[lease_record(name, lease) for name, lease in found])
        return
    headings = ("name", "lease", "process", "host", "since (UTC)", "last seen by the store (UTC)")
    print_table(headings, [tuple(map(str, lease_record(name, lease).values())) for name, lease in found])


def lease_record(name: str, lease: Lease) -> dict[str, object]:
    """A lease as `list --leases --json` and `unlock --json` show it."""
    return {
        "name": name,
        "kind": lease.kind,
        "pid": lease.owner.pid,
        "host": lease.owner.host,
        "since": lease.owner.since.isoformat(),
        "seen_at": lease.seen_at.isoformat(),
    }


def as_record(one: Listed) -> dict[str, object]:
    """A backup as `list --json` shows it."""
    summary = one.summary
    return {
        "id": str(summary.backup_id),
        "name": summary.database,
        "scope": summary.scope,
        "status": one.status,
        "snapshot_at": summary.snapshot_at.isoformat(),
        "parent": str(summary.parent_id) if summary.parent_id else None,
        "rows": summary.rows,
        "size_bytes": summary.size_bytes,
        "bytes_added": summary.bytes_added,
        "retention_until": summary.retention_until.isoformat(),
        "verified_at": one.verified_at.isoformat() if one.verified_at else None,
        "pinned": one.pin is not None,
    }


def _rows(found: Listing, now: datetime) -> list[tuple[str, ...]]:
    """Of a damaged manifest, only the id and its place in time are known."""
    rows = [(one.summary.snapshot_at, _row(one, now)) for one in found.backups]
    rows += [
        (_made_at(one.backup_id), (str(one.backup_id), one.database, *[""] * 6, "damaged")) for one in found.damaged
    ]
    return [row for _, row in sorted(rows, key=lambda one: one[0])]


def _made_at(backup_id: UUID) -> datetime:
    try:
        return time_of(backup_id)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)  # none of ours


def _row(one: Listed, now: datetime) -> tuple[str, ...]:
    summary = one.summary
    return (
        str(summary.backup_id),
        summary.database,
        summary.scope,
        f"{summary.snapshot_at:%Y-%m-%d %H:%M:%S}",
        _age((now - summary.snapshot_at).total_seconds()),
        f"{summary.rows:,}",
        size(summary.size_bytes),
        size(summary.bytes_added),
        f"{_state(one)}, pinned" if one.pin else _state(one),
    )


def _state(one: Listed) -> str:
    if one.standing is None:
        return one.status
    return f"{one.status} {one.standing.verdict.at:%Y-%m-%d} ({one.standing.verdict.level})"


def _style(row: Sequence[str]) -> str:
    """What is wrong catches the eye, and what is proven again looks it."""
    state = row[-1]
    if state.startswith(("failed-verification", "damaged")):
        return "bold red"
    return "green" if state.startswith("verified") else ""


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"
