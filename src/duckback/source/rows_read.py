"""What the objects of a backup were found to hold; data alone, for whoever asks and needs no DuckDB."""

from duckback.model.catalog import Frozen
from duckback.model.manifest import Fingerprint


class TableRead(Frozen):
    """What a table's objects hold: the fingerprint of its rows, or why they cannot be read."""

    fingerprint: Fingerprint | None = None
    problem: str | None = None


class RowsRead(Frozen):
    """What the objects of a backup hold, by the DuckDB that has read them.

    Attributes:
        tables: by `schema.name`.
        hashes_alike: whether this DuckDB hashes rows as the one that took the backup.
    """

    tables: dict[str, TableRead]
    hashes_alike: bool
