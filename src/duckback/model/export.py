"""What an export hands on: the files that it wrote, and the proof of what they hold, before any store is asked."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from duckback.model.catalog import Catalog, Column, Frozen
from duckback.model.manifest import Engine, FileIdentity, Fingerprint, Method, Segment, TableBackup

FileKind = Literal["rows", "added", "removed", "native"]


class ExportedFile(Frozen):
    """A file in the staging directory.

    Attributes:
        name: of the file there.
        kind: a part of a table written whole; rows that the parent did not have; positions of rows that are gone; or
            the table in a DuckDB file.
        part: its number among the table's files of that kind.
        rows: in it.
        raw_bytes: of its columns before compression.
        stretches: fingerprints of consecutive stretches of its rows, all of them together its whole content.
    """

    name: str
    kind: FileKind
    part: int = 0
    rows: int
    raw_bytes: int = 0
    stretches: tuple[Fingerprint, ...]


class ExportedTable(Frozen):
    """One table: what was written of it, and what is kept of its parent's.

    Attributes:
        kept: the parent's objects that its rows lie in too, and no others; None where all of it was written.
        files: with rows, in the order of the rowids.
        removed: with the positions in the kept objects whose rows have gone.
        native: holds the table where Parquet cannot.
        segments: their runs number the kept objects first, then the files.

    The others are as of `TableBackup`.
    """

    schema_name: str
    name: str
    method: Method
    reason: str | None = None
    storage: dict[str, str]
    kept: TableBackup | None = None
    files: tuple[ExportedFile, ...] = ()
    removed: ExportedFile | None = None
    native: ExportedFile | None = None
    rows_added: int = 0
    rows_removed: int = 0
    fingerprint: Fingerprint
    segments: tuple[Segment, ...]

    @property
    def new_files(self) -> tuple[ExportedFile, ...]:
        """Every file that was written for it."""
        return (*self.files, *(file for file in (self.removed, self.native) if file is not None))


class Export(Frozen):
    """One snapshot of a database as files.

    Attributes:
        snapshot_at: when the snapshot was taken, UTC.
        file: the identity of the database file, None for one that has no file.
        left_out: objects that the backup does not carry, by kind and name.
        notices: what else the user should hear.
    """

    snapshot_at: datetime
    engine: Engine
    file: FileIdentity | None
    catalog: Catalog
    tables: tuple[ExportedTable, ...]
    left_out: tuple[str, ...]
    notices: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[tuple[ExportedTable, ExportedFile], ...]:
        """Every file that was written, with the table that it belongs to."""
        return tuple((table, file) for table in self.tables for file in table.new_files)

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.fingerprint.rows for table in self.tables)

    @property
    def rows_written(self) -> int:
        """Rows of the files."""
        return sum(file.rows for _, file in self.files)


class BaseTable(Frozen):
    """A table of the parent.

    Attributes:
        backup: what the parent has of it.
        columns: its stored columns then.
        doubt: why its objects cannot be relied on, else None.
    """

    backup: TableBackup
    columns: tuple[Column, ...]
    doubt: str | None = None


class Base(Frozen):
    """What an incremental is the difference to.

    Attributes:
        backup_id: the parent.
        engine: the DuckDB that has hashed its rows.
        catalog: of the parent.
        left_out: by the parent.
        tables: of the parent.
        file: the file that it shows, and its state then; None: whether that was written to since does not matter.
        rewrite_share: added and removed rows that a table may have gathered, as a share of its rows, before it is
            written whole.
    """

    backup_id: UUID
    engine: Engine
    catalog: Catalog
    left_out: tuple[str, ...]
    tables: tuple[BaseTable, ...]
    file: FileIdentity | None
    rewrite_share: float

    def table(self, schema_name: str, name: str) -> BaseTable | None:
        """The parent's table of that name."""
        return next(
            (one for one in self.tables if (one.backup.schema_name, one.backup.name) == (schema_name, name)), None
        )
