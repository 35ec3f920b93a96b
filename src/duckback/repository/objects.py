"""Objects as local files whose bytes are those of the manifest."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from duckback.errors import DamagedObject, NotFound, StoreError
from duckback.model.manifest import ObjectRef
from duckback.store.base import BytesDone, Store
from duckback.store.digest import digest_file

_DOWNLOADS = 4
_READ_ONLY = 0o400
_OTHER = "does not hold the bytes that were backed up"
_HINT = "Restore an older backup: `duckback list` shows them."


class ObjectFiles:
    """Objects of one database: local copies, else where a local store has them, else copied from the store.

    Every byte is hashed either way.

    Args:
        store: the repository's.
        copies: the directory of the database's local copies, one directory a backup; None: they do not count, for it
            is the store's bytes that are in question.
    """

    def __init__(self, store: Store, copies: Path | None) -> None:
        self._store = store
        self._copies = copies

    def get(self, refs: Sequence[ObjectRef], folder: Path, on_bytes: BytesDone) -> dict[str, Path]:
        """Each object's key → a local file.

        Args:
            refs: which objects.
            folder: for what must be copied; made if missing.
            on_bytes: hears of bytes that were hashed, from any thread.

        Raises:
            DamagedObject: one is missing, or holds other bytes.
            StoreError: it cannot be read.
        """
        folder.mkdir(exist_ok=True)
        unique = list({ref.key: ref for ref in refs}.values())
        pool = ThreadPoolExecutor(_DOWNLOADS)
        try:
            found = pool.map(lambda ref: self._get(ref, folder / _file_name(ref), on_bytes), unique)
            return {ref.key: path for ref, path in zip(unique, found, strict=True)}
        finally:
            pool.shutdown(cancel_futures=True)

    def _get(self, ref: ObjectRef, path: Path, on_bytes: BytesDone) -> Path:
        try:
            copy = self.copy_of(ref) if self._copies is not None else None
            if copy is not None and copy.is_file() and self._is(copy, ref):
                on_bytes(ref.size)
                return copy
            in_place = self._store.local_path(ref.key)
            if in_place is not None:
                is_right = self._is(in_place, ref)
                on_bytes(ref.size)
                path = in_place
            elif path.exists():
                return path  # fetched, and found right, before
            else:
                is_right = self._fetch(ref, path, on_bytes)
        except (NotFound, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise self._damaged(ref, "is missing", "missing") from error
        except OSError as error:
            raise StoreError(f"cannot read {self._store.uri(ref.key)}: {error.strerror}") from error
        if not is_right:
            raise self._damaged(ref, _OTHER, _OTHER)
        return path

    def _damaged(self, ref: ObjectRef, what: str, problem: str) -> DamagedObject:
        return DamagedObject(f"{self._store.uri(ref.key)} {what}", hint=_HINT, key=ref.key, problem=problem)

    def _fetch(self, ref: ObjectRef, path: Path, on_bytes: BytesDone) -> bool:
        # Under another name until it is known to be right.
        arriving = path.with_name(f"{path.name}.arriving")
        sha256 = self._store.fetch(ref.key, arriving, on_bytes=on_bytes)
        if (sha256, arriving.stat().st_size) != (ref.sha256, ref.size):
            return False
        arriving.chmod(_READ_ONLY)
        arriving.rename(path)
        return True

    def _is(self, path: Path, ref: ObjectRef) -> bool:
        digest = digest_file(path, self._store.part_size)
        return (digest.sha256, digest.size) == (ref.sha256, ref.size)

    def copy_of(self, ref: ObjectRef) -> Path:
        """Where the local copy of an object is, if there is one.

        Raises:
            ValueError: no local copies count.
        """
        if self._copies is None:
            raise ValueError("there are no local copies here")
        return self._copies / str(ref.backup_id) / PurePosixPath(ref.key).name


def _file_name(ref: ObjectRef) -> str:
    # Two objects never have one checksum and two contents; the ending tells DuckDB what it is.
    return f"{ref.sha256}{PurePosixPath(ref.key).suffix}"
