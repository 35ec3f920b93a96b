"""A repository in memory with a full backup and an incremental, of which every test takes a copy."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import duckdb
import pytest
from support.in_process import without_children
from support.place import small_database

from duckback import Duckback
from duckback.store.base import Store
from duckback.store.memory import MemoryStore


class Bench:
    """Backups of a database, which has changed since the newest of them.

    Attributes:
        database: as it is now; `before` is what the newest backup shows.
        stock: not to be changed; its backups have another state directory than what `open` gives.
    """

    def __init__(self, root: Path, between: Callable[[Duckback, Path], object] | None = None) -> None:
        self.root = root
        self.before = root / "before.duckdb"
        self.database = small_database(root / "small.duckdb")
        self.stock = MemoryStore()
        self._numbers = count()
        duckback = self.open(self.stock, root / "state")
        duckback.backup(self.database)
        self.change()
        duckback.backup(self.database)
        if between is not None:
            between(duckback, self.database)
        shutil.copy(self.database, self.before)
        self.change()

    def open(self, store: Store, state: Path) -> Duckback:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("duckback.api.keeping.open_store", lambda url, s3, lock: store)
            return Duckback("replaced", state_dir=state, threads=1, name="small")

    def copy(self) -> MemoryStore:
        store = MemoryStore()
        store._objects = dict(self.stock._objects)
        return store

    def folder(self) -> Path:
        """A new one."""
        folder = self.root / f"run{next(self._numbers)}"
        folder.mkdir()
        return folder

    def change(self) -> None:
        with duckdb.connect(self.database) as con:
            con.execute("DELETE FROM visits WHERE rowid % 7 = 3")
            con.execute("INSERT INTO visits SELECT person, now()::TIMESTAMP, note FROM visits LIMIT 9")

    def keys(self, word: str) -> list[str]:
        return [listed.key for listed in self.stock.list("") if word in listed.key]

    def data(self, key: str) -> bytes:
        return self.stock._objects[key].data


def benches(root: Path, between: Callable[[Duckback, Path], object] | None = None) -> Iterator[Bench]:
    """One, whose jobs run in this process as long as it is used."""
    with pytest.MonkeyPatch.context() as patch:
        without_children(patch)
        yield Bench(root, between)
