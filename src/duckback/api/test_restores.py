"""Test restores, one run of their route for each backup, gathered into one verification."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from duckback.api.wiring import Wiring
from duckback.errors import DuckbackError, IntegrityError, NoSuchBackup, SourceDamaged, TookTooLong
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.records import known
from duckback.model.ids import new_id
from duckback.model.proof import verification_order
from duckback.repository.repository import Repository
from duckback.repository.survey import survey
from duckback.routes import TEST_RESTORE
from duckback.routes.damage import damage_of
from duckback.routes.deadline import TimeIsUp
from duckback.routes.engine import run
from duckback.routes.exchange import TestRestoreExchange, VerificationExchange, Verified, required, summed
from duckback.routes.reach import gone, ids_of, note_bad, refuse_pruned


def restore_all(
    wiring: Wiring, repository: Repository, ledger: EmbeddedLedger, exchange: VerificationExchange
) -> VerificationExchange:
    """Restore the wanted backup, or each, as long as there is time.

    Raises:
        NoSuchBackup: the wanted one is being pruned, or is not there.
        DuckbackError: this machine or the store keeps a restore from being tried; what was found before is on record.
    """
    there = survey(repository, exchange.database, known(ledger, repository.id, exchange.database))
    ids = ids_of(there, exchange.database, exchange.wanted)
    verdicts = {one: [name.verdict for name in names] for one, names in there.witnesses.proofs.items()}
    judged: list[TestRestoreExchange] = []
    reached: set[UUID] = set()
    try:
        for backup_id in verification_order(ids, verdicts):
            exchange.deadline.check()
            with exchange.deadline.ending(TookTooLong), _unless_pruned(exchange):
                judged.append(_restored(wiring, repository, ledger, replace(exchange, wanted=backup_id)))
            reached.add(backup_id)
    except TimeIsUp:
        pass
    except DuckbackError as error:
        note_bad(error, [result for one in judged for result in one.results])
        raise
    missing = _recorded(wiring, repository, ledger, exchange, gone(there, exchange.wanted))
    results = tuple(result for one in (*judged, missing) for result in one.results)
    return replace(
        exchange,
        status="completed",
        results=tuple(sorted(results, key=lambda one: one.backup_id)),
        damage=damage_of(there, results),
        not_reached=tuple(one for one in ids if one not in reached),
        seconds=summed(judged),
        notices=(*missing.notices, *(notice for one in judged for notice in one.notices)),
    )


@contextmanager
def _unless_pruned(exchange: VerificationExchange) -> Iterator[None]:
    """Where all are verified, one that began to be pruned meanwhile is left out."""
    try:
        yield
    except NoSuchBackup:
        if exchange.wanted is not None:
            raise


def _recorded(
    wiring: Wiring,
    repository: Repository,
    ledger: EmbeddedLedger,
    exchange: VerificationExchange,
    results: list[Verified],
) -> VerificationExchange:
    return wiring.verification_record(repository, ledger).process(replace(exchange, results=tuple(results)))


def _restored(
    wiring: Wiring, repository: Repository, ledger: EmbeddedLedger, exchange: VerificationExchange
) -> TestRestoreExchange:
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
    failed: list[TestRestoreExchange] = []
    try:
        return run(TEST_RESTORE, one, wiring.test_restore(one, repository, ledger), failed.append)
    except (IntegrityError, SourceDamaged) as error:
        judged = next((left for left in failed if left.results and left.is_recorded), None)
        if judged is None:
            # It was pruned meanwhile; or the judgement, or its record, has failed too.
            refuse_pruned(repository.store, exchange.database, required(exchange.wanted))
            raise
        # What failed after the record: the error is no more than a result, and they must not go with it.
        return replace(judged, notices=(*judged.notices, *getattr(error, "__notes__", ())))
