"""How two sides of a table are read against each other, batch by batch, by what is left of the batches so far.

Where rows have shifted, equal ones lie a distance apart, and two sides that are read in step never meet: what is left
of one would wait for the other from the first batch to the last, and every batch be compared with all of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")

_MOST = 0.5
_AHEAD = 0.25
_NEARLY_NONE = 0.001


@dataclass
class Batch:
    """Rows of one side that were read together.

    Attributes:
        number: among the batches of both sides, in the order in which they were read.
        rows: how many.
        left: how many of them have met no equal so far.
        met: how many of them met one in the last step.
    """

    number: int
    rows: int
    left: int
    met: int = 0

    def hear(self, left: int) -> None:
        """Take note of how many are left after a step."""
        self.met, self.left = self.left - left, left

    @property
    def share_left(self) -> float:
        """How many are left, by how many there were."""
        return self.left / self.rows if self.rows else 0.0

    @property
    def is_meeting(self) -> bool:
        """Whether more than a few odd rows of what was left of it did in the last step."""
        return self.met > _NEARLY_NONE * (self.left + self.met)


class Side(Generic[T]):
    """What is read of one side, in its order.

    Args:
        parts: all of it.
        rows_of: how many rows a part has.

    Attributes:
        rows: of all parts.
        rows_read: of those that were read.
        batches: in which they were read, but for those that were dropped.
    """

    def __init__(self, parts: Iterable[T], rows_of: Callable[[T], int]) -> None:
        self._parts = list(parts)
        self._rows_of = rows_of
        self._next = 0
        self.rows = sum(map(rows_of, self._parts))
        self.rows_read = 0
        self.batches: list[Batch] = []

    @property
    def has_more(self) -> bool:
        """Whether there is more to read."""
        return self._next < len(self._parts)

    def read(self, number: int, rows: int) -> list[T]:
        """The next parts, as a batch with this number of so many rows at least, if there are as many."""
        first, count = self._next, 0
        while self.has_more and count < rows:
            count += self._rows_of(self._parts[self._next])
            self._next += 1
        self.rows_read += count
        self.batches.append(Batch(number, count, count))
        return self._parts[first : self._next]

    def drop_past(self) -> list[Batch]:
        """Forget the batches, and return them, that need not be compared with each that follows.

        Later ones have met their equals, and they themselves are not meeting any. A row of theirs whose equal comes
        later all the same costs time, no more: what is left in the end is compared once more.
        """
        newest = max((batch.number for batch in self.batches if batch.share_left <= _MOST), default=-1)
        past = [batch for batch in self.batches if batch.number < newest and not batch.is_meeting]
        self.batches = [batch for batch in self.batches if batch not in past]
        return [batch for batch in past if batch.left]


@dataclass(frozen=True)
class Step(Generic[T, S]):
    """Parts to compare with each other and with what is left: those of now, those of the parent, by batch."""

    now: Mapping[int, Sequence[T]]
    parent: Mapping[int, Sequence[S]]


@dataclass
class Pace(Generic[T, S]):
    """Two sides, and how far they are read.

    Attributes:
        now: the table's.
        parent: the other one.
        least: rows of a batch.
        steps: after each, rows of both sides that were compared so far, and how many of them are left over.
    """

    now: Side[T]
    parent: Side[S]
    least: int
    steps: list[tuple[int, int]] = field(default_factory=list)
    _aside: int = 0

    def __iter__(self) -> Iterator[Step[T, S]]:
        """The steps, each to be followed by `hear`."""
        while self.now.has_more or self.parent.has_more:
            of_now, of_parent = self._sides()
            # Of much that waits for its equals, each row would otherwise be compared again for every few new ones.
            size = max(self.least, self._waiting // 2)
            number = 2 * len(self.steps)
            step = Step(
                {number: self.now.read(number, size)} if of_now else {},
                {number + 1: self.parent.read(number + 1, size)} if of_parent else {},
            )
            yield step

    def hear(self, left: Mapping[int, int]) -> list[int]:
        """Take note of what the step has left, by batch; returns the batches to set aside until the end."""
        for batch in self._batches:
            batch.hear(left.get(batch.number, 0))
        self.steps.append((self.now.rows_read + self.parent.rows_read, self._aside + self._waiting))
        past = [*self.now.drop_past(), *self.parent.drop_past()]
        self._aside += sum(batch.left for batch in past)
        return [batch.number for batch in past]

    def _sides(self) -> tuple[bool, bool]:
        """Both, until of the last batch of one side much less is left: then the other is ahead, and waits."""
        if not self.now.has_more or not self.parent.has_more:
            return self.now.has_more, self.parent.has_more
        now, parent = (side.batches[-1].share_left if side.batches else 1.0 for side in (self.now, self.parent))
        return now < parent + _AHEAD, parent < now + _AHEAD

    @property
    def _batches(self) -> list[Batch]:
        return [*self.now.batches, *self.parent.batches]

    @property
    def _waiting(self) -> int:
        return sum(batch.left for batch in self._batches)
