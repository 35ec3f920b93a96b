"""duckback show --diff: what changed in the rows of each table from one backup to another."""

from dataclasses import asdict

from duckback.cli.options import Call
from duckback.cli.output import print_document, print_table
from duckback.cli.progress import progress_bars
from duckback.model.row_changes import RowChange

_HEADINGS = ("table", "before", "now", "added", "removed", "known by")


def show_changes(call: Call, before: str, now: str) -> None:
    """Print the rows added and removed, table by table; what is not known is said so."""
    with progress_bars() as report:
        duckback = call.duckback(report)
        changes = duckback.row_changes(before, now)
    if call.as_json:
        ids = {word: str(duckback.find(one).summary.backup_id) for word, one in (("before", before), ("id", now))}
        print_document("show-diff", **ids, tables=[asdict(change) for change in changes])
        return
    print_table(_HEADINGS, map(_row, changes), numbers={*_HEADINGS[1:5]})


def _row(change: RowChange) -> tuple[str, ...]:
    counts = (change.before, change.now, change.added, change.removed)
    known_by = change.known_by or f"not known: {change.reason}"
    return (change.table, *("-" if count is None else f"{count:,}" for count in counts), known_by)
