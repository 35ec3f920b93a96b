"""Test restores, one run of their route for each backup, gathered into one verification."""

from dataclasses import replace

from duckback.api.wiring import Wiring
from duckback.errors import IntegrityError, SourceDamaged, TookTooLong
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.records import known
from duckback.model.ids import new_id
from duckback.model.proof import verification_order
from duckback.repository.proofs import proofs
from duckback.repository.repository import Repository
from duckback.repository.survey import survey
from duckback.routes import TEST_RESTORE
from duckback.routes.damage import damage_of
from duckback.routes.deadline import TimeIsUp
from duckback.routes.engine import run
from duckback.routes.exchange import TestRestoreExchange, VerificationExchange, summed


def restore_all(
    wiring: Wiring, repository: Repository, ledger: EmbeddedLedger, exchange: VerificationExchange
) -> VerificationExchange:
    """Restore the wanted backup, or each, as long as there is time.

    Raises:
        DuckbackError: this machine or the store keeps a restore from being tried; what was found before is on record.
    """
    ids = repository.backup_ids(exchange.database) if exchange.wanted is None else [exchange.wanted]
    found = proofs(repository, exchange.database)
    order = verification_order(ids, {one: [name.verdict for name in names] for one, names in found.items()})
    judged: list[TestRestoreExchange] = []
    try:
        for backup_id in order:
            exchange.deadline.check()
            with exchange.deadline.ending(TookTooLong):
                judged += _restored(wiring, repository, ledger, replace(exchange, wanted=backup_id))
    except TimeIsUp:
        pass
    results = tuple(result for one in judged for result in one.results)
    records = known(ledger, repository.id, exchange.database)
    is_good = all(result.is_good for result in results)
    reached = {result.backup_id for result in results}
    return replace(
        exchange,
        status="completed",
        results=tuple(sorted(results, key=lambda one: one.backup_id)),
        damage=() if is_good else damage_of(survey(repository, exchange.database, records), results),
        not_reached=tuple(one for one in ids if one not in reached),
        seconds=summed(judged),
        notices=(*exchange.notices, *(notice for one in judged for notice in one.notices)),
    )


def _restored(
    wiring: Wiring, repository: Repository, ledger: EmbeddedLedger, exchange: VerificationExchange
) -> list[TestRestoreExchange]:
    """The judged exchange of one test restore."""
    run_id = new_id(exchange.start_time)
    one = TestRestoreExchange(
        database=exchange.database,
        start_time=exchange.start_time,
        run_id=run_id,
        wanted=exchange.wanted,
        at=None,
        target=wiring.test_target(run_id, exchange.database),
        force=False,
        storage_version=None,
        deadline=exchange.deadline,
    )
    judged: list[TestRestoreExchange] = []
    try:
        run(TEST_RESTORE, one, wiring.test_restore(one, repository, ledger, judged.append))
    except (IntegrityError, SourceDamaged):
        if not judged:
            raise  # the judgement itself, or what follows it, has failed
    return judged
