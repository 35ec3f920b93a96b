"""The whole system at a glance: every route is a name and the processors that an exchange passes through.

duckdb-full-export         the snapshot becomes Parquet, is uploaded, committed and recorded; what is past its time goes
duckdb-incremental-export  the same for what has changed since the last backup
duckdb-restore             a backup becomes a database file again, is proven, and only then takes the target's name
duckdb-verification        what the store holds is compared with what was committed
duckdb-test-restore        a backup becomes a database file again, is proven, and goes
duckdb-cleanup             what retention drops goes, and what no backup refers to
"""

from duckback.routes.route import Route

_AFTER_A_BACKUP = (
    "release-capture",
    "record-failed-event",
    "keep-local-copies",
    "remove-staging",
    "deliver-ledger-events",
)

FULL_EXPORT = Route(
    name="duckdb-full-export",
    on_start=("prepare-staging", "record-started-event"),
    processors=(
        "export-duckdb-to-parquet",
        "compress-parquet",
        "upload-duckdb-backup-to-s3",
        "record-duckdb-backup-event",
        "cleanup-old-duckdb-backups",
    ),
    on_completion=_AFTER_A_BACKUP,
)

INCREMENTAL_EXPORT = Route(
    name="duckdb-incremental-export",
    on_start=("prepare-staging", "record-started-event"),
    processors=(
        "export-incremental-changes",
        "upload-duckdb-backup-to-s3",
        "record-duckdb-backup-event",
    ),
    on_completion=_AFTER_A_BACKUP,
)

RESTORE = Route(
    name="duckdb-restore",
    on_start=("prepare-staging",),
    processors=(
        "select-backup",
        "fetch-objects",
        "restore-duckdb-from-parquet",
        "verify-restored-database",
        "record-recovery-event",
    ),
    on_completion=("remove-staging", "deliver-ledger-events"),
)

VERIFICATION = Route(
    name="duckdb-verification",
    on_start=("prepare-staging",),
    processors=("verify-duckdb-backups", "record-verification-event"),
    on_completion=("remove-staging", "deliver-ledger-events"),
)

TEST_RESTORE = Route(
    name="duckdb-test-restore",
    on_start=("prepare-staging",),
    processors=(
        "select-backup",
        "fetch-objects",
        "restore-duckdb-from-parquet",
        "verify-restored-database",
    ),
    on_completion=("judge-test-restore", "record-verification-event", "remove-staging", "deliver-ledger-events"),
)

CLEANUP = Route(
    name="duckdb-cleanup",
    processors=("cleanup-old-duckdb-backups",),
    on_completion=("deliver-ledger-events",),
)

ROUTES = (FULL_EXPORT, INCREMENTAL_EXPORT, RESTORE, VERIFICATION, TEST_RESTORE, CLEANUP)
