"""The place where everything is put together: which processors a route gets, made of which parts."""

import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

from duckback.config.options import Options
from duckback.ledger.embedded import EmbeddedLedger
from duckback.ledger.outbox import Outbox
from duckback.ledger.pruned import PrunedEvents
from duckback.ledger.records import known
from duckback.model.progress import Report
from duckback.model.proof import Witness
from duckback.model.recorded import Records
from duckback.processors.cleanup_old_duckdb_backups import CleanupOldDuckdbBackups
from duckback.processors.compress_parquet import CompressParquet
from duckback.processors.deliver_ledger_events import DeliverLedgerEvents
from duckback.processors.export_duckdb_to_parquet import ExportDuckdbToParquet
from duckback.processors.export_incremental_changes import ExportIncrementalChanges
from duckback.processors.fetch_objects import FetchObjects
from duckback.processors.judge_test_restore import JudgeTestRestore
from duckback.processors.keep_local_copies import KeepLocalCopies
from duckback.processors.prepare_staging import PrepareStaging, staging_of
from duckback.processors.record_duckdb_backup_event import RecordDuckdbBackupEvent
from duckback.processors.record_failed_event import RecordFailedEvent
from duckback.processors.record_recovery_event import RecordRecoveryEvent
from duckback.processors.record_started_event import RecordStartedEvent
from duckback.processors.record_verification_event import RecordVerificationEvent
from duckback.processors.release_capture import ReleaseCapture
from duckback.processors.remove_staging import RemoveStaging
from duckback.processors.restore_duckdb_from_parquet import RestoreDuckdbFromParquet
from duckback.processors.select_backup import SelectBackup
from duckback.processors.upload_duckdb_backup_to_s3 import UploadDuckdbBackupToS3
from duckback.processors.verify_duckdb_backups import VerifyDuckdbBackups
from duckback.processors.verify_restored_database import VerifyRestoredDatabase
from duckback.repository import layout
from duckback.repository.cleanup import Cleanup
from duckback.repository.deletion import Deletion
from duckback.repository.leases import Leases
from duckback.repository.objects import ObjectFiles
from duckback.repository.repository import Repository
from duckback.repository.summaries import Summaries
from duckback.routes.exchange import BackupExchange, RestoreExchange, TestRestoreExchange, VerificationExchange
from duckback.routes.processor import Processor
from duckback.source.image.place import ImageSettings
from duckback.source.resources import Limits
from duckback.store.base import Store

Processors = Mapping[str, Processor[Any]]


class Wiring:
    """Makes the parts of one repository's runs.

    Args:
        options: of the run.
        store: the repository's.
        report: hears how far a run is.
        clock: now, in UTC.
    """

    def __init__(self, options: Options, store: Store, report: Report, clock: Callable[[], datetime]) -> None:
        self._options = options
        self._store = store
        self._report = report
        self._clock = clock

    def copies(self, repository: Repository, database: str) -> Path:
        return self._options.state_dir / str(repository.id) / layout.encode_name(database)

    def export(self, exchange: BackupExchange, repository: Repository, ledger: EmbeddedLedger) -> Processors:
        options = self._options
        copies = self.copies(repository, exchange.database)
        files = ObjectFiles(self._store, copies)
        deletion = self.deletion(repository, exchange.database)
        return _by_name(
            PrepareStaging(self.staging, exchange.backup_id),
            RecordStartedEvent(ledger, repository.id),
            ExportDuckdbToParquet(self.limits, self._report),
            ExportIncrementalChanges(
                repository,
                files,
                deletion,
                limits=self.limits,
                rewrite_share=options.rewrite_share,
                report=self._report,
            ),
            CompressParquet(),
            UploadDuckdbBackupToS3(repository, deletion, ledger, self._report),
            RecordDuckdbBackupEvent(ledger, repository),
            CleanupOldDuckdbBackups(self.clean_up(repository, ledger, exchange.database)),
            ReleaseCapture(),
            RecordFailedEvent(ledger, repository),
            KeepLocalCopies(self._store, files, options.retention.keep_local),
            RemoveStaging(),
            self.delivery(ledger),
        )

    def cleanup(self, repository: Repository, ledger: EmbeddedLedger, database: str) -> Processors:
        return _by_name(CleanupOldDuckdbBackups(self.clean_up(repository, ledger, database)), self.delivery(ledger))

    def clean_up(self, repository: Repository, ledger: EmbeddedLedger, database: str) -> Cleanup:
        retention = self._options.retention
        return Cleanup(
            store=self._store,
            database=database,
            summaries=self.summaries(repository),
            deletion=self.deletion(repository, database),
            leases=self.leases(database),
            policy=retention.policy,
            books=PrunedEvents(ledger, repository.id, database),
            copies=self.copies(repository, database),
            keep_copies=retention.keep_local,
            clock=self._clock,
        )

    def summaries(self, repository: Repository) -> Summaries:
        return Summaries(repository, self._options.state_dir / "cache" / str(repository.id))

    def deletion(self, repository: Repository, database: str) -> Deletion:
        return Deletion(repository, self.summaries(repository), database)

    def leases(self, database: str) -> Leases:
        return Leases(self._store, database, self._clock)

    def restore(self, exchange: RestoreExchange, repository: Repository, ledger: EmbeddedLedger) -> Processors:
        return _by_name(
            PrepareStaging(self.staging, exchange.run_id),
            SelectBackup(repository, self.records(repository, ledger, exchange.database)),
            FetchObjects(
                repository, ObjectFiles(self._store, self.copies(repository, exchange.database)), self._report
            ),
            RestoreDuckdbFromParquet(self.limits, self._report),
            VerifyRestoredDatabase(self.limits, self._report),
            RecordRecoveryEvent(ledger),
            RemoveStaging(),
            self.delivery(ledger),
        )

    def records(self, repository: Repository, ledger: EmbeddedLedger, database: str) -> Records:
        return lambda: known(ledger, repository.id, database)

    def ledger(self) -> EmbeddedLedger:
        return EmbeddedLedger(self._options.state_dir / "ledger.sqlite", self._options.ledger.number)

    def delivery(self, ledger: EmbeddedLedger) -> DeliverLedgerEvents:
        return DeliverLedgerEvents(Outbox(ledger, self._options.ledger.remote))

    @property
    def limits(self) -> Limits:
        options = self._options
        return Limits(options.memory_limit, options.threads, options.job_timeout.total_seconds(), options.least_share)

    @property
    def images(self) -> ImageSettings:
        options = self._options
        return ImageSettings(
            directory=options.image_dir or options.state_dir / "images",
            keep=options.keep_image,
            attempts=options.capture_attempts,
            seconds=options.capture_timeout.total_seconds(),
            allow_network=options.allow_network_filesystem,
        )

    @property
    def staging(self) -> Path:
        return self._options.staging_dir or self._options.state_dir / "staging"

    def verification(
        self, exchange: VerificationExchange, repository: Repository, ledger: EmbeddedLedger
    ) -> Processors:
        return _by_name(
            PrepareStaging(self.staging, exchange.run_id),
            VerifyDuckdbBackups(
                repository,
                self.records(repository, ledger, exchange.database),
                self.limits,
                self._report,
            ),
            self.verification_record(repository, ledger),
            RemoveStaging(),
            self.delivery(ledger),
        )

    def test_restore(self, exchange: TestRestoreExchange, repository: Repository, ledger: EmbeddedLedger) -> Processors:
        report = exchange.deadline.report(self._report)
        limits = self.limits.within(exchange.deadline.remaining)
        return _by_name(
            PrepareStaging(self.staging, exchange.run_id),
            SelectBackup(repository, self.records(repository, ledger, exchange.database)),
            # Without local copies: what is in question is what the store holds.
            FetchObjects(repository, ObjectFiles(self._store, None), report),
            RestoreDuckdbFromParquet(limits, report),
            VerifyRestoredDatabase(limits, report),
            JudgeTestRestore(self._store),
            self.verification_record(repository, ledger),
            RemoveStaging(),
            self.delivery(ledger),
        )

    def verification_record(self, repository: Repository, ledger: EmbeddedLedger) -> RecordVerificationEvent:
        return RecordVerificationEvent(ledger, repository, _witness())

    def test_target(self, exchange_id: UUID, database: str) -> Path:
        """Where a test restore makes its file: below its run's staging directory, which is locked itself."""
        return staging_of(self.staging, exchange_id) / "target" / f"{layout.encode_name(database)}.duckdb"


def _witness() -> Witness:
    return Witness(host=socket.gethostname(), duckback_version=version("duckback"), duckdb_version=version("duckdb"))


def _by_name(*processors: Processor[Any]) -> Processors:
    return {processor.name: processor for processor in processors}
