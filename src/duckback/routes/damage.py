"""What the results of a verification mean for the other backups of the database."""

from collections.abc import Iterable
from uuid import UUID

from duckback.model.damage import Damage, damage
from duckback.model.manifest import Manifest
from duckback.repository.survey import Survey
from duckback.routes.exchange import Verified


def damage_of(there: Survey, results: Iterable[Verified]) -> tuple[Damage, ...]:
    """Which backups each damaged object concerns, and where its table is still good."""
    objects: dict[str, set[str]] = {}
    tables: dict[UUID, set[str]] = {}
    for one in results:
        for problem in one.problems:
            if problem.table is not None and problem.object is not None:
                objects.setdefault(problem.object, set()).add(problem.table)
            elif problem.table is not None:
                tables.setdefault(one.backup_id, set()).add(problem.table)
    return damage(_undoubted(there), objects, tables)


def _undoubted(there: Survey) -> list[Manifest]:
    return [one.manifest for backup_id, one in there.committed.items() if there.doubt(backup_id) is None]
