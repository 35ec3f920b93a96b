"""upload-duckdb-backup-to-s3: objects up, what the store holds asked back, manifest last. Any store, S3 or not."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from typing import Literal

from duckback.errors import IntegrityError, StoreError
from duckback.ledger.base import Ledger
from duckback.model.export import ExportedFile, ExportedTable
from duckback.model.manifest import LedgerHead, Manifest, ObjectRef, TableBackup
from duckback.model.progress import Report
from duckback.repository import layout
from duckback.repository.commit import commit
from duckback.repository.deletion import Deletion
from duckback.repository.repository import Repository
from duckback.routes.byte_count import ByteCount
from duckback.routes.exchange import BackupExchange, required
from duckback.store.base import BytesDone, Store, StoredObject
from duckback.store.digest import FileDigest, digest_file

CONTENT_TYPE = "application/octet-stream"

_UPLOADS = 4
_ENCRYPTION_CODES: dict[str | None, Literal["s3-sse", "s3-sse-kms", "none"]] = {
    "AES256": "s3-sse",
    "aws:kms": "s3-sse-kms",
    None: "none",
}


_WEAKEST_FIRST: tuple[Literal["s3-sse", "s3-sse-kms", "none"], ...] = ("none", "s3-sse", "s3-sse-kms")


class UploadDuckdbBackupToS3:
    """Uploads an export and commits its manifest.

    Args:
        repository: where to.
        deletion: of the database; knows what is being pruned.
        ledger: whose head the manifest anchors.
        report: hears how many bytes are sent.
    """

    name = "upload-duckdb-backup-to-s3"

    def __init__(self, repository: Repository, deletion: Deletion, ledger: Ledger, report: Report) -> None:
        self._repository = repository
        self._deletion = deletion
        self._ledger = ledger
        self._report = report

    def process(self, exchange: BackupExchange) -> BackupExchange:
        started = time.monotonic()
        refs = self._upload(exchange)
        manifest = self._manifest(exchange, refs, seconds=time.monotonic() - started)
        committed = commit(self._repository.store, self._deletion, manifest, exchange.gone)
        return replace(
            exchange,
            status="uploaded",
            committed=committed,
            backup_size_bytes=manifest.bytes_added,
            uploaded_file_count=len(manifest.new_objects),
            s3_uris=tuple(self._repository.store.uri(ref.key) for ref in manifest.new_objects),
        )

    def _upload(self, exchange: BackupExchange) -> dict[str, ObjectRef]:
        files = list(_keyed(exchange))
        total = sum((required(exchange.backup_path) / file.name).stat().st_size for _, file in files)
        sender = _Sender(exchange, self._repository.store, ByteCount(self._report, self.name, total).add)
        pool = ThreadPoolExecutor(_UPLOADS)
        try:
            return dict(pool.map(sender.send, files))
        except BaseException as error:
            pool.shutdown(cancel_futures=True)
            self._remove([key for key, _ in files], error)
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _remove(self, keys: list[str], cause: BaseException) -> None:
        # No manifest was written, so nobody can refer to these objects; what is not removed now is an orphan.
        try:
            left = [f"{failure.key} ({failure.reason})" for failure in self._repository.store.delete(keys)]
        except StoreError as failure:
            left = [f"any of {len(keys)} ({failure})"]
        if left:
            cause.add_note(f"objects without a backup may be left in {self._repository.store.url}: {', '.join(left)}")

    def _manifest(self, exchange: BackupExchange, refs: dict[str, ObjectRef], *, seconds: float) -> Manifest:
        export = required(exchange.export)
        parent = exchange.parent
        tables = tuple(_table_backup(table, refs) for table in export.tables)
        return Manifest(
            format="1",
            duckback_version=version("duckback"),
            repository_id=self._repository.id,
            backup_id=exchange.backup_id,
            database=exchange.database,
            backup_type=exchange.backup_type,
            scope=exchange.backup_scope,
            parent_id=parent.manifest.backup_id if parent else None,
            parent_manifest_sha256=parent.sha256 if parent else None,
            full_because=exchange.full_because,
            started_at=exchange.start_time,
            snapshot_at=export.snapshot_at,
            retention_until=exchange.start_time + exchange.retention,
            compression="parquet-zstd",
            encryption=_encryption_code(ref for table in tables for ref in table.refs),
            capture_mode=exchange.capture.mode,
            file=export.file,
            engine=export.engine,
            ledger=LedgerHead(driver="embedded", id=self._ledger.identity(), head=self._ledger.head()),
            catalog=export.catalog,
            tables=tables,
            selection=exchange.selection,
            excluded=export.left_out,
            seconds={**exchange.seconds, self.name: seconds},
        )


def _keyed(exchange: BackupExchange) -> Iterator[tuple[str, ExportedFile]]:
    for table, file in required(exchange.export).files:
        key = layout.object_key(
            exchange.database,
            scope=exchange.backup_scope,
            started_at=exchange.start_time,
            backup_id=exchange.backup_id,
            schema=table.schema_name,
            table=table.name,
            ending=layout.ending_of(file.kind, file.part),
        )
        yield key, file


def _encryption_code(refs: Iterable[ObjectRef]) -> Literal["s3-sse", "s3-sse-kms", "none"]:
    """The encryption that all of the objects have; of several kinds the least, since that is what can be relied on."""
    answered = {_ENCRYPTION_CODES.get(ref.encryption, "none") for ref in refs}
    return next((code for code in _WEAKEST_FIRST if code in answered), "none")


def _table_backup(table: ExportedTable, refs: dict[str, ObjectRef]) -> TableBackup:
    kept = table.kept
    native = kept.native if kept else None
    return TableBackup(
        schema_name=table.schema_name,
        name=table.name,
        method=table.method,
        reason=table.reason,
        storage=table.storage,
        objects=(*(kept.objects if kept else ()), *(refs[file.name] for file in table.files)),
        removed=(*(kept.removed if kept else ()), *((refs[table.removed.name],) if table.removed else ())),
        native=refs[table.native.name] if table.native else native,
        rows=table.fingerprint.rows,
        rows_added=table.rows_added,
        rows_removed=table.rows_removed,
        raw_bytes=(kept.raw_bytes if kept else 0) + sum(file.raw_bytes for file in table.files),
        fingerprint=table.fingerprint,
        segments=table.segments,
    )


class _Sender:
    """Sends one file and asks what the store holds; used by several threads."""

    def __init__(self, exchange: BackupExchange, store: Store, on_bytes: BytesDone) -> None:
        self._exchange = exchange
        self._folder = required(exchange.backup_path)
        self._store = store
        self._on_bytes = on_bytes

    def send(self, item: tuple[str, ExportedFile]) -> tuple[str, ObjectRef]:
        key, file = item
        path = self._folder / file.name
        # S3 wants the metadata, the checksum among them, before the first byte: hence a read of its own.
        digest = digest_file(path, self._store.part_size)
        metadata = {
            "backup-id": str(self._exchange.backup_id),
            "backup-type": self._exchange.backup_type,
            "backup-scope": self._exchange.backup_scope,
            "checksum-sha256": digest.sha256,
        }
        self._store.put_file(key, path, digest, metadata=metadata, content_type=CONTENT_TYPE, on_bytes=self._on_bytes)
        held = self._check(key, digest)
        return file.name, ObjectRef(
            key=key,
            size=digest.size,
            sha256=digest.sha256,
            part_size=digest.part_size,
            composite=held.composite,
            encryption=held.encryption,
            rows=file.rows,
            backup_id=self._exchange.backup_id,
            locked_until=held.locked_until,
        )

    def _check(self, key: str, digest: FileDigest) -> StoredObject:
        held = self._store.head(key)
        same_checksum = held.sha256 == digest.sha256 if held.sha256 else held.composite == digest.composite
        if held.size != digest.size or not same_checksum or (held.sha256 is None and held.composite is None):
            raise IntegrityError(f"{self._store.uri(key)} does not hold the bytes that were sent")
        return held
