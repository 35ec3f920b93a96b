"""The manifest: the immutable, self-contained description of one backup, and its commit point."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationError, model_validator

from duckback.errors import IntegrityError
from duckback.model.catalog import Catalog, Frozen
from duckback.model.seal import sealed, unseal
from duckback.model.selection import EVERYTHING, Selection

FORMAT = "1"
MAX_MANIFEST_BYTES = 64 << 20

_MINUTE = timedelta(minutes=1)

_HINT = "It was damaged, forged, or written by another version of Duckback."
_KEY = re.compile(r"[A-Za-z0-9_%~-]+(/[A-Za-z0-9_%~.-]+)+")
_WIDE = re.compile(r"-?[0-9]{1,40}")


def _wide_from_text(value: object) -> object:
    return int(value) if isinstance(value, str) and _WIDE.fullmatch(value) else value


_WIDEST = 10**40
"""What is beyond is no sum of 64-bit hashes, and would not come back from its text."""

WideSum = Annotated[
    int, BeforeValidator(_wide_from_text), Field(gt=-_WIDEST, lt=_WIDEST), PlainSerializer(str, when_used="json")
]
"""A sum of 64-bit hashes; text in JSON, whose numbers other readers cut to 53 bits."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=-(1 << 63), lt=1 << 64)]
"""A number as operating systems have them."""


def _inside(key: str) -> str:
    if not _KEY.fullmatch(key) or any(part.strip(".") == "" for part in key.split("/")):
        raise ValueError(f"the key {key!r} leaves the repository")
    return key


Key = Annotated[str, AfterValidator(_inside)]
"""Where an object lies, relative to the repository's root."""


class Fingerprint(Frozen):
    """Order-independent measure of rows: their count and the sums of two 64-bit hashes of each."""

    rows: Count = 0
    sum1: WideSum = 0
    sum2: WideSum = 0

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        """The fingerprint of both sets of rows together."""
        return Fingerprint(rows=self.rows + other.rows, sum1=self.sum1 + other.sum1, sum2=self.sum2 + other.sum2)

    def without(self, other: "Fingerprint") -> "Fingerprint | None":
        """The fingerprint of what is left when rows of that fingerprint are taken away; None: they are too many."""
        if other.rows > self.rows:
            return None
        return Fingerprint(rows=self.rows - other.rows, sum1=self.sum1 - other.sum1, sum2=self.sum2 - other.sum2)


class Run(Frozen):
    """Rows `first_row` to `first_row + rows - 1` of the table's object number `object`, counted from 0."""

    object: Count
    first_row: Count
    rows: Count


class Segment(Frozen):
    """A chunk of a table in the order of its rowids: its fingerprint and where its rows lie.

    Attributes:
        fingerprint: of the rows that lie in the runs and are not removed.
        runs: no row lies in two of a table.
        chunk: its number, counted from rowid 0; None: rows of several chunks, which have moved between them.
    """

    fingerprint: Fingerprint
    runs: tuple[Run, ...]
    chunk: Count | None = None


class ObjectRef(Frozen):
    """One stored file: where it is, what was sent, and what the store says that it holds.

    Attributes:
        size: bytes.
        sha256: of the whole file, hex.
        part_size: bytes a part of the upload, from which `composite` can be computed again.
        composite: the store's checksum of a multipart object as it answered, else None.
        encryption: server-side encryption as the store answered, else None.
        rows: of the table; in an object of removed positions, their number.
        backup_id: the backup that wrote it.
        locked_until: until when the store's object lock holds it, as it answered; None: not locked.
    """

    key: Key
    size: Count
    sha256: Sha256
    part_size: Count
    composite: str | None
    encryption: str | None
    rows: Count
    backup_id: UUID
    locked_until: datetime | None = None

    @property
    def position_name(self) -> str:
        """What an object of removed positions calls it: the backup's id and the part, `<backup-id>.added.0000`."""
        return ".".join([str(self.backup_id), *self._ending])

    @property
    def is_added(self) -> bool:
        """Whether its rows are those that an incremental found new."""
        return self._ending[:1] == ["added"]

    @property
    def _ending(self) -> list[str]:
        # Names in keys are without dots: `<backup-id>-<schema>.<table>.added.0000.parquet`.
        return self.key.rpartition("/")[2].split(".")[2:-1]


Method = Literal["full", "changed", "unchanged"]
"""How a backup has a table: written whole; the parent's objects and the difference to them; or these alone."""


class TableBackup(Frozen):
    """The rows of one table: its objects, the rows of them that count no more, and the proof of what is left.

    Attributes:
        method: how this backup came by it.
        reason: why an incremental wrote it whole, else None.
        storage: per stored column, the way that Parquet holds it.
        objects: those with rows, in the order in which they were written; those of earlier backups come first.
        removed: those with positions (object, row) whose rows have gone since they were written.
        native: the DuckDB file that holds the table where Parquet cannot, else None.
        rows: of the table.
        rows_added: rows that the parent did not have; all of them where the table was written whole.
        rows_removed: rows of the parent that are gone.
        raw_bytes: size of the objects' columns before compression, as the Parquet footers state it.
        fingerprint: of all rows, taken from the snapshot and found again in the written files.
        segments: the same per chunk of rowids.
    """

    schema_name: str
    name: str
    method: Method
    reason: str | None = None
    storage: dict[str, str]
    objects: tuple[ObjectRef, ...]
    removed: tuple[ObjectRef, ...] = ()
    native: ObjectRef | None = None
    rows: Count
    rows_added: Count = 0
    rows_removed: Count = 0
    raw_bytes: Count
    fingerprint: Fingerprint
    segments: tuple[Segment, ...]

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """Every object of the table."""
        return (*self.objects, *self.removed, *((self.native,) if self.native is not None else ()))

    @property
    def rows_held(self) -> int:
        """Rows in its objects that count."""
        return sum(ref.rows for ref in self.objects) - sum(ref.rows for ref in self.removed)


class FileIdentity(Frozen):
    """Which file was captured, and in which state it was.

    Attributes:
        host: the name of the machine; device and inode mean nothing on another one.
        size: bytes, holes included.
        mtime_ns: last change of its bytes; with `ctime_ns`, of its inode, in nanoseconds since the epoch.
        header_sha256: of its first 12 KiB, which change with every checkpoint.
        wal_sha256: of its write-ahead log, None where there is none.
        seen_at: when all this was so.
    """

    path: str
    host: str
    device: Whole
    inode: Whole
    size: Whole
    mtime_ns: Whole
    ctime_ns: Whole
    header_sha256: Sha256
    wal_sha256: Sha256 | None
    seen_at: datetime


class Engine(Frozen):
    """The DuckDB that took the backup; `hash_probe` tells whether another one hashes rows alike."""

    duckdb_version: str
    storage_version: str
    hash_probe: WideSum


class LedgerHead(Frozen):
    """The ledger that holds this backup's events, and the hash of its newest entry before the commit."""

    driver: str
    id: str
    head: Sha256


class Manifest(Frozen):
    """One committed backup.

    Attributes:
        started_at: fixes the date in the keys.
        snapshot_at: the moment that the backup shows.
        full_because: why it is a full where an incremental was due, else None.
        selection: what of the database it was to hold.
        excluded: objects that were left out, by kind and name.
        seconds: what each processor took, up to the commit.
    """

    format: Literal["1"]
    duckback_version: str
    repository_id: UUID
    backup_id: UUID
    database: Annotated[str, Field(min_length=1)]
    backup_type: Literal["duckdb"]
    scope: Literal["full", "incremental"]
    parent_id: UUID | None
    parent_manifest_sha256: Sha256 | None
    full_because: str | None = None
    started_at: datetime
    snapshot_at: datetime
    retention_until: datetime
    compression: Literal["parquet-zstd"]
    encryption: Literal["s3-sse", "s3-sse-kms", "none"]
    capture_mode: Literal["image", "connection", "direct"]
    file: FileIdentity | None
    engine: Engine
    ledger: LedgerHead
    catalog: Catalog
    tables: tuple[TableBackup, ...]
    selection: Selection = EVERYTHING
    excluded: tuple[str, ...]
    seconds: dict[str, Seconds]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        listed = [(table.schema_name, table.name) for table in self.tables]
        if sorted(listed) != sorted((table.schema_name, table.name) for table in self.catalog.tables):
            raise ValueError("the tables of the catalogue are not those with rows")
        for table in self.tables:
            held = {table.rows_held, *((table.native.rows,) if table.native else ())}
            if {table.rows, table.fingerprint.rows} | held != {table.rows}:
                raise ValueError(f"the row counts of {table.schema_name}.{table.name} contradict one another")
        return self

    def with_catalog(self, catalog: Catalog) -> "Manifest":
        """The same, of what a narrower catalogue holds."""
        kept = {(table.schema_name, table.name) for table in catalog.tables}
        tables = tuple(table for table in self.tables if (table.schema_name, table.name) in kept)
        return self.model_copy(update={"catalog": catalog, "tables": tables})

    @property
    def objects(self) -> tuple[ObjectRef, ...]:
        """Every object that a restore needs."""
        return tuple(ref for table in self.tables for ref in table.refs)

    @property
    def new_objects(self) -> tuple[ObjectRef, ...]:
        """The objects that this backup wrote."""
        return tuple(ref for ref in self.objects if ref.backup_id == self.backup_id)

    @property
    def locked_for(self) -> timedelta | None:
        """How long the store holds this backup's own objects against deletion, the shortest, in whole minutes.

        Zero where one is not locked, None where it wrote none.
        """
        if not self.new_objects:
            return None
        held = (ref.locked_until - self.started_at if ref.locked_until else timedelta(0) for ref in self.new_objects)
        # Stores answer whole seconds, so that a lock may seem to be one shorter than it was asked for.
        return (min(held) + timedelta(seconds=1)) // _MINUTE * _MINUTE

    @property
    def promoted(self) -> tuple[TableBackup, ...]:
        """The tables that an incremental wrote whole."""
        return tuple(table for table in self.tables if table.reason is not None)

    @property
    def rows(self) -> int:
        """Rows of the snapshot, all tables together."""
        return sum(table.rows for table in self.tables)

    @property
    def size_bytes(self) -> int:
        """Bytes of all objects that the manifest refers to."""
        return sum(ref.size for ref in self.objects)

    @property
    def bytes_added(self) -> int:
        """Bytes of the objects that this backup wrote."""
        return sum(ref.size for ref in self.new_objects)


def encode(manifest: Manifest) -> bytes:
    """The manifest's bytes: JSON, UTF-8, one line, sealed."""
    return sealed(manifest)


def decode(data: bytes, *, source: str) -> Manifest:
    """The manifest in the bytes; strict, because whoever wrote them is not trusted.

    Args:
        data: at most MAX_MANIFEST_BYTES.
        source: where they come from, for the error.

    Raises:
        IntegrityError: not a manifest of this format, or one that is not as it was written.
    """
    document = unseal(data)
    if document is None:
        raise IntegrityError(
            f"{source} is not a manifest of format {FORMAT}: the checksum at its end is not that of its bytes",
            hint=_HINT,
        )
    try:
        return Manifest.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise IntegrityError(
            f"{source} is not a manifest of format {FORMAT}: {where}: {first['msg']}", hint=_HINT
        ) from error
