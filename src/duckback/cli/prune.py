"""duckback prune: remove what retention does not keep, and say of every backup why it stays or goes."""

from typing import Annotated

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document, print_table, size
from duckback.errors import PARTIAL
from duckback.model.policy import Decision
from duckback.repository.cleanup import Cleaned


@with_options
def prune(
    call: Call,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
) -> int:
    """Remove backups that no --keep-… option keeps, what no backup refers to, and local copies past --keep-local."""
    cleaned = call.duckback().prune(dry_run=dry_run)
    for writer, count in cleaned.orphans.orphaned.items() if cleaned.orphans else ():
        notice(f"{count} objects of backup {writer}, whose manifest is gone without a tombstone, were left alone")
    for one in cleaned.locked:
        notice(f"{one.key} stays for now: {one.reason}")
    for one in cleaned.refused:
        notice(f"not deleted, and tried again next time: {one.key}: {one.reason}")
    if call.as_json:
        print_document("prune", dry_run=dry_run, **_record(cleaned))
    else:
        headings = ("backup", "snapshot (UTC)", "scope", "decision", "frees", "reason")
        print_table(headings, [_row(one, cleaned) for one in cleaned.decisions])
        if cleaned.orphans is not None and cleaned.orphans.doomed:
            gone = cleaned.orphans.doomed
            print(f"without a backup: {len(gone)} objects, {size(sum(row.size for row in gone))}")
    return PARTIAL if cleaned.refused else 0


def _record(cleaned: Cleaned) -> dict[str, object]:
    refused = [{"object": one.key, "reason": one.reason} for one in (*cleaned.refused, *cleaned.locked)]
    return {
        "backups": [
            {
                "id": str(one.summary.backup_id),
                "decision": _decision(one),
                "reason": "; ".join(one.reasons),
                "bytes": cleaned.freed.get(one.summary.backup_id, 0),
            }
            for one in cleaned.decisions
        ],
        "orphans": [row.key for row in cleaned.orphans.doomed] if cleaned.orphans else [],
        "refused": refused,
    }


def _row(one: Decision, cleaned: Cleaned) -> tuple[str, ...]:
    frees = cleaned.freed.get(one.summary.backup_id)
    return (
        str(one.summary.backup_id),
        f"{one.summary.snapshot_at:%Y-%m-%d %H:%M:%S}",
        one.summary.scope,
        _decision(one),
        size(frees) if frees is not None else "",
        "; ".join(one.reasons),
    )


def _decision(one: Decision) -> str:
    return "keep" if one.is_kept else "remove"
