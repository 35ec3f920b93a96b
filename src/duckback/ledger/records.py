"""What a ledger knows of a database's backups: that they are there, and what verifications of them came to."""

from datetime import UTC, datetime
from uuid import UUID

from duckback.ledger.base import Ledger
from duckback.ledger.codec import manifest_prefix
from duckback.model.events import EventKind
from duckback.model.proof import LEVELS, Level, Verdict
from duckback.model.recorded import Known, Recorded


def known(ledger: Ledger, repository_id: UUID, database: str) -> Known:
    """The backups of a database, and how far each came.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    found: dict[UUID, Recorded] = {}
    for entry in ledger.entries(repository_id=repository_id, database=database):
        backup_id = UUID(entry.details["backup_id"])
        started_at = datetime.fromtimestamp(entry.transfer.user_data_64, UTC)
        if entry.kind is EventKind.COMPLETED:
            found[backup_id] = Recorded("committed", started_at, manifest_prefix(entry.transfer))
        elif entry.kind is EventKind.PRUNED:
            found[backup_id] = Recorded("pruned", started_at)
        elif entry.kind is EventKind.STARTED:
            found.setdefault(backup_id, Recorded("started", started_at))
    return Known(ledger.identity(), found)


def verdicts(ledger: Ledger, repository_id: UUID, database: str) -> dict[UUID, list[Verdict]]:
    """What verifications of a database's backups came to, by backup.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    found: dict[UUID, list[Verdict]] = {}
    entries = ledger.entries(repository_id=repository_id, database=database, kind=EventKind.VERIFICATION)
    for entry in entries:
        level: Level = next((one for one in LEVELS if one == entry.details.get("level")), "objects")
        started_at = datetime.fromtimestamp(entry.transfer.user_data_64, UTC)
        verdict = Verdict(started_at, level, entry.details.get("result") == "good")
        found.setdefault(UUID(entry.details["backup_id"]), []).append(verdict)
    return found
