"""A database and its backups, whose rows are compared after each."""

from pathlib import Path
from typing import Any

import duckdb

from duckback import Duckback
from duckback.ledger.embedded import EmbeddedLedger
from duckback.model.events import EventKind
from duckback.model.manifest import Manifest, TableBackup
from duckback.routes.exchange import BackupExchange, required
from duckback.source.demo import differing_rows
from duckback.store.local import LocalStore


class Protected:
    """A database file and its backups.

    Attributes:
        path: of the database.
        repo: of the repository.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "now.duckdb"
        self.repo = root / "repo"
        self.duckback = Duckback(self.repo, state_dir=root / "state", threads=1)

    def run(self, *statements: str) -> None:
        with duckdb.connect(self.path, config={"storage_compatibility_version": "latest"}) as con:
            for statement in statements:
                con.execute(statement)

    def backup(self, *statements: str, **options: Any) -> BackupExchange:
        """Run the statements, then back up."""
        self.run(*statements)
        return self.duckback.backup(self.path, **options)

    def proven(self, *statements: str, **options: Any) -> Manifest:
        """The same; the backup gives the database back, and this is its manifest."""
        done = self.backup(*statements, **options)
        target = self.root / f"restored-{done.backup_id}.duckdb"
        self.duckback.restore(target, backup=str(done.backup_id))
        assert not any(differing_rows(self.path, target).values())
        return required(done.committed).manifest

    def ids(self) -> list[str]:
        """Of the backups, oldest first."""
        return [str(one.summary.backup_id) for one in self.duckback.backups()]

    @property
    def store(self) -> LocalStore:
        """Where the backups are."""
        return LocalStore(self.repo)

    @property
    def stored(self) -> list[str]:
        """The keys of everything in the repository."""
        return [listed.key for listed in self.store.list("")]

    def ids_of_events(self, kind: str) -> list[str]:
        """The backups that have such an event in the ledger."""
        with EmbeddedLedger(self.root / "state" / "ledger.sqlite") as ledger:
            return [entry.details["backup_id"] for entry in ledger.entries(kind=EventKind(kind))]

    def files(self, manifest: Manifest, *, kind: str) -> list[str]:
        """The files that a backup wrote whose names have that part."""
        return [str(self.repo / ref.key) for ref in manifest.new_objects if f".{kind}." in ref.key]

    def read(self, manifest: Manifest, kind: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """The rows of these files."""
        files = self.files(manifest, kind=kind)
        return duckdb.execute(f"SELECT {columns} FROM read_parquet(?)", [files]).fetchall() if files else []


def of(manifest: Manifest, name: str = "t") -> TableBackup:
    """A table of the manifest."""
    return next(table for table in manifest.tables if table.name == name)
