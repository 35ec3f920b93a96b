"""duckback ledger sync: deliver to TigerBeetle what it does not hold yet."""

from duckback.cli.ledger_list import tell
from duckback.cli.options import Call, with_options
from duckback.cli.output import complain, notice, print_document
from duckback.errors import LedgerError


@with_options
def sync(call: Call) -> int:
    """Deliver events that wait, and try again those that were refused."""
    attempt = call.ledger().sync()
    if call.as_json:
        print_document(
            "ledger-sync",
            delivered=attempt.delivered,
            undelivered=attempt.backlog.waiting,
            parked=attempt.backlog.parked,
            refused=[
                {"backup_id": one.entry.details.get("backup_id"), "event": str(one.entry.kind), "reason": one.reason}
                for one in attempt.refused
            ],
            unavailable=attempt.unavailable.message if attempt.unavailable else None,
        )
    else:
        print(f"events delivered: {attempt.delivered}")
    for one in attempt.refused:
        notice(f"{one.entry.kind} event of backup {one.entry.details.get('backup_id')}: {one.reason}")
    tell(attempt.backlog)
    if attempt.unavailable is not None:
        complain(attempt.unavailable)
    return LedgerError.exit_code if attempt.unavailable is not None or attempt.backlog.parked else 0
