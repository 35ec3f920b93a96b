"""Objects of a backup where they lie, for whoever reads parts of them: is each the one that was backed up?"""

from collections.abc import Sequence
from pathlib import Path

from duckback.errors import DamagedObject, StoreError
from duckback.model.manifest import Manifest, ObjectRef
from duckback.repository.objects import ObjectFiles
from duckback.repository.probe import problems_with
from duckback.store.base import Store

_HINT = "`duckback verify` says what is damaged, and which older backup is good."


class ObjectsInPlace:
    """The objects of one backup.

    No object is read whole, so none is hashed: of a local store's files the size is compared with the manifest's, and
    of others what the store answers, its size and its checksum. Native files alone, which cannot be read in parts
    everywhere, are copied from a store that is not local, and hashed.

    Args:
        store: the repository's.
        manifest: of the backup.
        folder: for copies of native files; need not exist.
    """

    def __init__(self, store: Store, manifest: Manifest, folder: Path) -> None:
        self._store = store
        self._refs = {ref.key: ref for ref in manifest.objects}
        self._native = {rows.native.key for rows in manifest.tables if rows.native is not None}
        self._folder = folder

    @property
    def local(self) -> dict[str, Path]:
        """Each object's key → its file; nothing where the store is not local."""
        paths = {key: self._store.local_path(key) for key in self._refs}
        return {key: path.absolute() for key, path in paths.items() if path is not None}

    @property
    def addresses(self) -> dict[str, str]:
        """Each object's key → its address, as other programs understand it."""
        local = self.local
        return {key: str(local.get(key, self._store.uri(key))) for key in self._refs}

    def open(self, keys: Sequence[str]) -> dict[str, Path]:
        """Compare objects with the manifest; returns the files of those that are to be read as such.

        Raises:
            DamagedObject: one is missing, or not the one that was backed up.
            StoreError: the store does not answer.
        """
        refs = [self._refs[key] for key in keys]
        local = self.local
        if local:
            return {ref.key: self._of_its_size(ref, local[ref.key]) for ref in refs}
        for key, problem in problems_with(self._store, refs).items():
            raise DamagedObject(f"{self._store.uri(key)}: {problem}", hint=_HINT, key=key, problem=problem)
        native = [ref for ref in refs if ref.key in self._native]
        return ObjectFiles(self._store, None).get(native, self._folder, lambda _: None) if native else {}

    def _of_its_size(self, ref: ObjectRef, path: Path) -> Path:
        try:
            size = path.stat().st_size
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DamagedObject(f"{path} is missing", hint=_HINT, key=ref.key, problem="missing") from error
        except OSError as error:
            raise StoreError(f"cannot look at {path}: {error.strerror}") from error
        if size != ref.size:
            problem = f"has {size} bytes instead of {ref.size}"
            raise DamagedObject(f"{path} {problem}", hint=_HINT, key=ref.key, problem=problem)
        return path
