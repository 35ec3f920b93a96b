"""duckback list: the committed backups."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from duckback.api import Listed
from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document, print_table, size
from duckback.repository.leases import Lease


@with_options
def list_backups(
    call: Call,
    leases: Annotated[bool, typer.Option("--leases", help="Who is at work on the repository, or died at it.")] = False,
) -> None:
    """List committed backups, oldest first: of --name, or of every database in the repository."""
    if leases:
        _list_leases(call)
        return
    found = call.duckback().backups()
    if call.as_json:
        print_document("list", backups=[as_record(one) for one in found])
        return
    headings = ("backup", "name", "scope", "snapshot (UTC)", "age", "rows", "size", "added", "state")
    rows = [_row(one, datetime.now(UTC)) for one in found]
    print_table(headings, rows, numbers={"age", "rows", "size", "added"}, style=_style)


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
    if state.startswith("failed-verification"):
        return "bold red"
    return "green" if state.startswith("verified") else ""


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"
