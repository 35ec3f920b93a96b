"""What an export hands on: the files that it wrote, and the proof of what they hold, before any store is asked."""

from datetime import datetime

from duckback.model.catalog import Catalog, Frozen
from duckback.model.manifest import Engine, FileIdentity, Fingerprint, Segment


class ExportedFile(Frozen):
    """A Parquet file in the staging directory: its name there, its rows, its columns' bytes before compression."""

    name: str
    rows: int
    raw_bytes: int = 0


class ExportedTable(Frozen):
    """One table's files in row order; `segments` number them from 0, and `native` holds it where Parquet cannot."""

    schema_name: str
    name: str
    storage: dict[str, str]
    files: tuple[ExportedFile, ...]
    native: ExportedFile | None = None
    fingerprint: Fingerprint
    segments: tuple[Segment, ...]


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
        """Every file with the table that it belongs to, in the order of a manifest's objects."""
        return tuple(
            (table, file)
            for table in self.tables
            for file in (*table.files, *((table.native,) if table.native is not None else ()))
        )

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.fingerprint.rows for table in self.tables)
