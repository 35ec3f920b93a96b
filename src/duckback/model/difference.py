"""The difference of two contents of a table, as decisions about fingerprints: what must be compared, what is proven.

A table is cut into chunks of rowids. What the parent has of it lies in segments, which are the chunks of its time.
Chunks and segments with equal fingerprints hold the same rows, wherever these have moved; only what is left over has
to be compared row by row.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from duckback.model.manifest import Fingerprint, Run, Segment, TableBackup

NOTHING = Fingerprint()

_STRETCH = 8
_SHORTEST_STRETCH = 4
_SCATTERED = (0.2, 0.8)
_STEADY = 0.1


@dataclass(frozen=True)
class Chunk:
    """The rows of a table whose rowids divided by the size of a chunk give this number."""

    number: int
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Match:
    """Chunks of now and segments of the parent: `same`, found in both; the others, in one of them only."""

    same: tuple[Segment, ...]
    chunks: tuple[Chunk, ...]
    segments: tuple[Segment, ...]


def match(chunks: Iterable[Chunk], segments: Iterable[Segment]) -> Match:
    """Pair chunks and segments of equal fingerprints, each with one other; those of the same number first."""
    waiting: dict[Fingerprint, list[Segment]] = defaultdict(list)
    for segment in segments:
        waiting[segment.fingerprint].append(segment)
    same: list[Segment] = []
    changed: list[Chunk] = []
    for chunk in chunks:
        equal = waiting[chunk.fingerprint]
        if not equal:
            changed.append(chunk)
            continue
        found = next((one for one in equal if one.chunk == chunk.number), equal[0])
        equal.remove(found)
        same.append(found.model_copy(update={"chunk": chunk.number}))
    return Match(tuple(same), tuple(changed), tuple(one for left in waiting.values() for one in left))


@dataclass(frozen=True)
class Changes:
    """What a row-by-row comparison has found.

    Attributes:
        added: by number of the chunk: rows that the parent does not have.
        removed: by index in `Match.segments`: rows of the parent that are gone.
    """

    added: Mapping[int, Fingerprint]
    removed: Mapping[int, Fingerprint]

    @property
    def rows_added(self) -> int:
        """Of all chunks."""
        return sum(one.rows for one in self.added.values())

    @property
    def rows_removed(self) -> int:
        """Of all segments."""
        return sum(one.rows for one in self.removed.values())


def is_hopeless(steps: Sequence[tuple[int, int]], rows: int, most: float) -> bool:
    """Whether a comparison of batches will end with too many rows left over.

    It will if it has them already; or if for an eighth of the way (four batches at least) a steady part of each
    batch, not all of it, was left over, and the rest at that pace would make it too many. Rows that only moved look
    otherwise: nothing of a batch cancels before their new places are reached and all of it after, or, if they were
    shuffled, more of each batch than of the one before.

    Args:
        steps: after each batch, rows of both sides that were compared so far, and how many of them are left over.
        rows: of both sides, in all.
        most: that may be left over.
    """
    done, left = steps[-1]
    length = max(_SHORTEST_STRETCH, round(len(steps) * rows / done / _STRETCH)) if done else len(steps)
    if left > most or len(steps) <= length:
        return left > most
    stretch = pairwise(steps[-length - 1 :])
    shares = [(after[1] - before[1]) / max(after[0] - before[0], 1) for before, after in stretch]
    least, greatest = min(shares), max(shares)
    is_steady = _SCATTERED[0] <= least and greatest <= _SCATTERED[1] and greatest - least <= _STEADY
    return is_steady and left + least * (rows - done) > most


def are_proven(changes: Changes, parent: Fingerprint, now: Fingerprint) -> bool:
    """Whether the parent's rows, less those removed, and those added, are the rows of now."""
    left = parent.without(sum(changes.removed.values(), NOTHING))
    return left is not None and left + sum(changes.added.values(), NOTHING) == now


def next_segments(found: Match, changes: Changes, runs: Mapping[int, Run]) -> tuple[Segment, ...]:
    """The segments of the table as the backup will have it.

    A chunk that changed is what its segment was, less what was removed and with what was added, if its fingerprint
    says so. Where rows have moved between chunks it does not, and all such chunks become one segment, which costs the
    next backup a comparison.

    Args:
        found: what was compared.
        changes: with what result.
        runs: by number of the chunk: where its added rows lie.
    """
    by_chunk = {one.chunk: index for index, one in enumerate(found.segments) if one.chunk is not None}
    exact: list[Segment] = []
    moved: list[Chunk] = []
    used: set[int] = set()
    for chunk in found.chunks:
        index = by_chunk.get(chunk.number)
        left = NOTHING if index is None else _left_of(found.segments[index], index, changes)
        if left is None or left + changes.added.get(chunk.number, NOTHING) != chunk.fingerprint:
            moved.append(chunk)
            continue
        old = () if index is None or not left.rows else found.segments[index].runs
        exact.append(Segment(fingerprint=chunk.fingerprint, runs=(*old, *_run_of(chunk, runs)), chunk=chunk.number))
        used |= set() if index is None else {index}
    unused = [(index, one) for index, one in enumerate(found.segments) if index not in used]
    segments = [*found.same, *exact, *_mixed(moved, unused, changes, runs)]
    return tuple(sorted(segments, key=lambda one: (one.chunk is None, one.chunk or 0)))


def _left_of(segment: Segment, index: int, changes: Changes) -> Fingerprint | None:
    return segment.fingerprint.without(changes.removed.get(index, NOTHING))


def _run_of(chunk: Chunk, runs: Mapping[int, Run]) -> tuple[Run, ...]:
    return (runs[chunk.number],) if chunk.number in runs else ()


def _mixed(
    moved: list[Chunk], unused: list[tuple[int, Segment]], changes: Changes, runs: Mapping[int, Run]
) -> Iterable[Segment]:
    if not moved:
        return
    left = [one for index, one in unused if _left_of(one, index, changes) != NOTHING]
    yield Segment(
        fingerprint=sum((chunk.fingerprint for chunk in moved), NOTHING),
        runs=(*(run for one in left for run in one.runs), *(run for chunk in moved for run in _run_of(chunk, runs))),
        chunk=moved[0].number if len(moved) == 1 else None,
    )


def is_outgrown(parent: TableBackup, *, rows_added: int, rows_removed: int, rows: int, share: float) -> bool:
    """Whether a table has gathered so many changes since it was written whole that it had better be again.

    Args:
        parent: what the parent has of it.
        rows_added: since the parent.
        rows_removed: since the parent.
        rows: that it has now.
        share: of its rows.
    """
    added = rows_added + sum(ref.rows for ref in parent.objects if ref.is_added)
    removed = rows_removed + sum(ref.rows for ref in parent.removed)
    return added + removed > share * rows
