"""Objects of several backups, each read once a run, and on this machine only as long as another backup needs it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from duckback.errors import DamagedObject, IntegrityError
from duckback.model.manifest import ObjectRef
from duckback.repository.objects import ObjectFiles
from duckback.repository.probe import problem_with
from duckback.store.base import BytesDone, Store

_AT_ONCE = 4


class SharedObjects:
    """The objects of the backups of one run.

    Args:
        store: that holds them.
        folder: for what must be copied from there.
        needed: the objects of all backups of the run; one that two of them refer to is there twice.
    """

    def __init__(self, store: Store, folder: Path, needed: Iterable[ObjectRef]) -> None:
        self._store = store
        self._files = ObjectFiles(store, None)
        self._folder = folder
        self._uses = Counter(ref.sha256 for ref in needed)
        self._found: dict[ObjectRef, Path | str | None] = {}

    def probe(self, refs: Sequence[ObjectRef], on_bytes: BytesDone) -> dict[str, str]:
        """By key, what is wrong with objects by the store's own answer."""
        return _problems(self._each(refs, self._probe, on_bytes))

    def read(self, refs: Sequence[ObjectRef], on_bytes: BytesDone) -> tuple[dict[str, Path], dict[str, str]]:
        """By key, a local file with the bytes of each sound object, and what is wrong with the others.

        Raises:
            StoreError: the store does not answer.
        """
        found = self._each(refs, self._read, on_bytes)
        return {key: path for key, path in found.items() if isinstance(path, Path)}, _problems(found)

    def release(self, refs: Iterable[ObjectRef]) -> None:
        """One backup is done with these; copies that no other needs go."""
        self._uses.subtract(ref.sha256 for ref in refs)
        for ref, path in self._found.items():
            if isinstance(path, Path) and self._uses[ref.sha256] <= 0 and path.is_relative_to(self._folder):
                path.unlink(missing_ok=True)

    def _each(
        self,
        refs: Sequence[ObjectRef],
        look: Callable[[ObjectRef, BytesDone], Path | str | None],
        on_bytes: BytesDone,
    ) -> Mapping[str, Path | str | None]:
        # By everything that a manifest says of it: of two that contradict each other, one at least is wrong.
        new = [ref for ref in dict.fromkeys(refs) if ref not in self._found]
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            for ref, found in zip(new, pool.map(lambda ref: look(ref, on_bytes), new), strict=True):
                self._found[ref] = found
        finally:
            pool.shutdown(cancel_futures=True)
        return {ref.key: self._found[ref] for ref in refs}

    def _probe(self, ref: ObjectRef, on_bytes: BytesDone) -> str | None:
        problem = problem_with(self._store, ref)
        on_bytes(ref.size)
        return problem

    def _read(self, ref: ObjectRef, on_bytes: BytesDone) -> Path | str:
        try:
            return self._files.get([ref], self._folder, on_bytes)[ref.key]
        except DamagedObject as error:
            return error.problem
        except IntegrityError as error:
            return error.message


def _problems(found: Mapping[str, Path | str | None]) -> dict[str, str]:
    return {key: problem for key, problem in found.items() if isinstance(problem, str)}
