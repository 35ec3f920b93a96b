"""record-verification-event: ledger and repository know what was verified, how deeply, and how it went."""

from dataclasses import replace
from typing import TypeVar

from duckback.errors import AccessDenied, DuckbackError
from duckback.ledger.base import Ledger
from duckback.model.events import EventKind, event_of_backup
from duckback.model.proof import RTO, Proof, Witness
from duckback.repository.proofs import write_proof
from duckback.repository.repository import Repository
from duckback.routes.exchange import ProvingExchange, Verified

E = TypeVar("E", bound=ProvingExchange)


class RecordVerificationEvent:
    """Records a proof of each backup, and an event where its manifest can be read: else it is not known what it was.

    What cut the run short is raised afterwards.

    Args:
        ledger: the embedded one.
        repository: whose backups.
        by: this host.
    """

    name = "record-verification-event"

    def __init__(self, ledger: Ledger, repository: Repository, by: Witness) -> None:
        self._ledger = ledger
        self._repository = repository
        self._by = by

    def process(self, exchange: E) -> E:
        try:
            done = self._recorded(exchange)
        except DuckbackError as error:
            if exchange.cut_short is None:
                raise
            exchange.cut_short.add_note(f"and afterwards: {error}")
            raise exchange.cut_short from error
        if done.cut_short is not None:
            for notice in done.notices:
                done.cut_short.add_note(notice)
            raise done.cut_short
        return done

    def _recorded(self, exchange: E) -> E:
        for result in exchange.results:
            self._record(exchange, result)
        try:
            for result in exchange.results:
                write_proof(self._repository, exchange.database, self._proof(exchange, result))
        except AccessDenied as error:
            # Whoever may only read can verify all the same: the ledger has it.
            notice = f"no proofs were written to the repository: {error.message}"
            exchange = replace(exchange, notices=(*exchange.notices, notice))
        return replace(exchange, is_recorded=True)

    def _record(self, exchange: ProvingExchange, result: Verified) -> None:
        if result.committed is None:
            return
        event = event_of_backup(
            result.committed.manifest,
            result.committed.sha256,
            EventKind.VERIFICATION,
            run_id=exchange.run_id,
            started_at=exchange.start_time,
            details={"level": exchange.level, "result": result.word, **_duration(exchange, result)},
        )
        self._ledger.record(event)

    def _proof(self, exchange: ProvingExchange, result: Verified) -> Proof:
        return Proof(
            backup_id=result.backup_id,
            run_id=exchange.run_id,
            level=exchange.level,
            result=result.word,
            manifest_sha256=result.committed.sha256 if result.committed else None,
            started_at=exchange.start_time,
            seconds=round(result.seconds, 3),
            by=self._by,
            compared=result.compared,
            rto_seconds=int(RTO.total_seconds()) if exchange.level == "restore" else None,
            problems=result.problems,
        )


def _duration(exchange: ProvingExchange, result: Verified) -> dict[str, str]:
    return {"seconds": f"{result.seconds:.3f}"} if exchange.level == "restore" else {}
