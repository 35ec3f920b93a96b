"""verify-duckdb-backups: is every manifest the one that was committed, and does the store hold what it lists?"""

import time
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from duckback.errors import DuckbackError, SourceError, StoreError, TookTooLong
from duckback.model.damage import label_of
from duckback.model.manifest import Manifest
from duckback.model.progress import Report
from duckback.model.proof import Problem, verification_order
from duckback.model.recorded import Records
from duckback.repository.repository import Repository
from duckback.repository.shared import SharedObjects
from duckback.repository.survey import Survey, survey
from duckback.routes.byte_count import ByteCount
from duckback.routes.damage import damage_of
from duckback.routes.deadline import TimeIsUp
from duckback.routes.exchange import VerificationExchange, Verified, required
from duckback.routes.reach import gone, ids_of, note_bad, without_pruned
from duckback.source.checking import RowChecks, narrowed
from duckback.source.resources import Limits


class VerifyDuckdbBackups:
    """Level `objects`: the store's own answer for each. Level `data`: every byte read, every row unpacked and hashed.

    Args:
        repository: whose backups.
        records: the backups of the database that the ledger knows.
        limits: for DuckDB, at level `data`.
        report: hears how many bytes and rows are done.
    """

    name = "verify-duckdb-backups"

    def __init__(self, repository: Repository, records: Records, limits: Limits, report: Report) -> None:
        self._repository = repository
        self._records = records
        self._limits = limits
        self._report = report

    def process(self, exchange: VerificationExchange) -> VerificationExchange:
        there = survey(self._repository, exchange.database, self._records())
        ids = ids_of(there, exchange.database, exchange.wanted)
        verdicts = {one: [name.verdict for name in names] for one, names in there.witnesses.proofs.items()}
        order = verification_order(ids, verdicts)
        verifier = self._verifier(exchange, there, order)
        results: list[Verified] = []
        cut_short: DuckbackError | None = None
        try:
            for backup_id in order:
                exchange.deadline.check()
                with exchange.deadline.ending(TookTooLong):
                    results.append(verifier.verify(backup_id))
        except TimeIsUp:
            pass
        except (SourceError, StoreError) as error:
            cut_short = error
        reached = {one.backup_id for one in results}
        try:
            results = without_pruned(self._repository.store, exchange.database, results, exchange.wanted)
        except StoreError as error:
            cut_short = cut_short or error
        if cut_short is not None:
            note_bad(cut_short, results)
        missing = gone(there, exchange.wanted)
        return replace(
            exchange,
            status="completed",
            results=tuple(sorted([*results, *missing], key=lambda one: one.backup_id)),
            not_reached=tuple(one for one in ids if one not in reached),
            damage=damage_of(there, results),
            notices=(*exchange.notices, *_notices(results)),
            cut_short=cut_short,
        )

    def _verifier(self, exchange: VerificationExchange, there: Survey, order: list[UUID]) -> "_Verifier":
        staging = required(exchange.staging).path
        refs = [ref for one in order if one in there.committed for ref in there.committed[one].manifest.objects]
        objects = SharedObjects(self._repository.store, staging / "objects", refs)
        report = exchange.deadline.report(self._report)
        limits = self._limits.within(exchange.deadline.remaining)
        rows = RowChecks(limits.at(staging / "spill"), report)
        return _Verifier(there, objects, rows if exchange.level == "data" else None, report)


class _Verifier:
    """Verifies the backups of one run, one by one; `rows` is None where the store's own answer will do."""

    def __init__(self, there: Survey, objects: SharedObjects, rows: RowChecks | None, report: Report) -> None:
        self._there = there
        self._objects = objects
        self._rows = rows
        self._report = report

    def verify(self, backup_id: UUID) -> Verified:
        started = time.monotonic()
        doubt = self._there.doubt(backup_id)
        committed = self._there.committed.get(backup_id)
        problems = [_problem(doubt)] if doubt is not None else []
        if committed is None:
            return Verified(backup_id, None, tuple(problems), seconds=time.monotonic() - started)
        manifest = committed.manifest
        done = ByteCount(self._report, VerifyDuckdbBackups.name, manifest.size_bytes)
        if self._rows is None:
            bad = self._objects.probe(manifest.objects, done.add)
            compared = None
        else:
            files, bad = self._objects.read(manifest.objects, done.add)
            sound = {label_of(table) for table in manifest.tables if not any(ref.key in bad for ref in table.refs)}
            rows, compared = self._rows.check(narrowed(manifest, sound), files)
            problems += [Problem(object=None, table=label, what=what) for label, what in rows.items()]
        problems += _of_objects(manifest, bad)
        self._objects.release(manifest.objects)
        return Verified(backup_id, committed, tuple(problems), time.monotonic() - started, compared)


def _problem(what: str) -> Problem:
    return Problem(object=None, table=None, what=what)


def _of_objects(manifest: Manifest, bad: dict[str, str]) -> list[Problem]:
    return [
        Problem(object=ref.key, table=label_of(table), what=bad[ref.key])
        for table in manifest.tables
        for ref in table.refs
        if ref.key in bad
    ]


def _notices(results: Iterable[Verified]) -> list[str]:
    return [
        f"the rows of backup {one.backup_id} were counted, not hashed: another release of DuckDB has taken it"
        for one in results
        if one.compared == "counts"
    ]
