"""duckback ledger verify: do repository, ledger and TigerBeetle contradict one another?"""

from duckback.cli.options import Call, with_options
from duckback.cli.output import complain, notice, print_document, print_table
from duckback.errors import IntegrityError, LedgerUnavailable
from duckback.ledger.reconcile import Reconciliation


@with_options
def verify(call: Call) -> int:
    """Compare the repository with this host's ledger and TigerBeetle; each contradiction is named, exit code 20."""
    ledger = call.ledger()
    audited = ledger.verify()
    result, unavailable = audited.result, audited.unavailable
    if call.as_json:
        print_document(
            "ledger-verify",
            result="bad" if result.findings else "good",
            findings=[
                {"finding": str(one.name), "backup_id": str(one.backup_id) if one.backup_id else None, "what": one.what}
                for one in result.findings
            ],
            unknown=[str(one) for one in result.unknown],
            pending=list(result.pending),
            tigerbeetle=ledger.tigerbeetle,
            unavailable=unavailable.message if unavailable else None,
        )
    else:
        _print(result)
    if unavailable is not None:
        complain(unavailable)
    if result.findings:
        return IntegrityError.exit_code
    return LedgerUnavailable.exit_code if unavailable is not None else 0


def _print(result: Reconciliation) -> None:
    rows = [(str(one.name), str(one.backup_id or ""), one.what) for one in result.findings]
    if rows:
        print_table(("contradiction", "backup", "what"), rows)
    else:
        print("no contradiction")
    for text in result.pending:
        notice(text)
    if result.unknown:
        notice(f"backups whose events this host does not know: {len(result.unknown)}")
