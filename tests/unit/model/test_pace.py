"""How two sides are read against each other: rows that only moved meet soon, and none waits longer than it must."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duckback.model.pace import Pace, Side

LEAST = 10
ROWS = 1000


class Reading:
    """Reads two sides as the pace says, each row a number; rows that are equal cancel."""

    def __init__(self, now: Sequence[int], parent: Sequence[int]) -> None:
        self.pace = Pace(Side(now, lambda _: 1), Side(parent, lambda _: 1), LEAST)
        self.compared = 0
        self.longest = 0
        self.most_ahead = 0
        self._waiting: dict[int, list[tuple[int, int]]] = {}
        self._aside: list[tuple[int, int]] = []
        for step in self.pace:
            self._waiting |= {number: [(row, 1) for row in rows] for number, rows in step.now.items()}
            self._waiting |= {number: [(row, -1) for row in rows] for number, rows in step.parent.items()}
            self.most_ahead = max(self.most_ahead, abs(self.pace.now.rows_read - self.pace.parent.rows_read))
            self._cancel()

    def _cancel(self) -> None:
        pool = [row for rows in self._waiting.values() for row in rows]
        self.compared += len(pool)
        self.longest = max(self.longest, len(pool))
        surplus: Counter[int] = Counter()
        for row, side in pool:
            surplus[row] += side
        left = {number: [one for one in rows if surplus[one[0]]] for number, rows in self._waiting.items()}
        for number in self.pace.hear({number: len(rows) for number, rows in left.items()}):
            self._aside += left.pop(number)
        self._waiting = left

    @property
    def left(self) -> Counter[int]:
        """What one side has more of, which is negative where it is the parent."""
        surplus: Counter[int] = Counter()
        for row, side in [*self._aside, *(one for rows in self._waiting.values() for one in rows)]:
            surplus[row] += side
        return Counter({row: count for row, count in surplus.items() if count})


def difference(now: Sequence[int], parent: Sequence[int]) -> Counter[int]:
    counts = Counter(now)
    counts.subtract(parent)
    return Counter({row: count for row, count in counts.items() if count})


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=120), st.lists(st.integers(0, 60), max_size=120))
def test_both_sides_are_read_to_their_ends_and_nothing_of_the_difference_is_lost(
    now: list[int], parent: list[int]
) -> None:
    reading = Reading(now, parent)
    assert reading.left == difference(now, parent)
    read, left = reading.pace.steps[-1] if reading.pace.steps else (0, 0)
    assert read == len(now) + len(parent)
    assert left >= abs(sum(reading.left.values()))


def test_sides_that_are_alike_are_read_in_step_and_compared_once() -> None:
    assert Reading(range(ROWS), range(ROWS)).compared == 2 * ROWS


@pytest.mark.parametrize("shift", [5, 10, 25, 50, 100, 250])
def test_rows_that_have_shifted_are_compared_a_few_times_however_far(shift: int) -> None:
    for now, parent in ((range(shift, ROWS), range(ROWS)), (range(ROWS), range(shift, ROWS))):
        reading = Reading(now, parent)
        assert reading.left == difference(now, parent)
        assert reading.compared < 2 * 2 * ROWS


def test_what_was_passed_by_waits_aside() -> None:
    shift = 100
    reading = Reading(range(shift, 10 * ROWS), range(10 * ROWS))
    assert reading.pace.steps[-1] == (20 * ROWS - shift, shift)
    assert reading.compared < 1.2 * 20 * ROWS


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_of_a_table_that_was_thinned_out_the_sides_keep_pace(share: float) -> None:
    draw = Random(7)
    now = [row for row in range(10 * ROWS) if draw.random() > share]
    reading = Reading(now, range(10 * ROWS))
    assert reading.left == difference(now, range(10 * ROWS))
    assert reading.longest < 10 * LEAST


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_updates_all_over_keep_the_sides_in_step_and_do_not_pile_up(share: float) -> None:
    draw = Random(7)
    now = [row if draw.random() > share else -row - 1 for row in range(10 * ROWS)]
    reading = Reading(now, range(10 * ROWS))
    assert reading.most_ahead <= LEAST
    assert reading.compared < (1.1 + 2 * share) * 20 * ROWS


@pytest.mark.parametrize("distance", [2 * ROWS, 100 * ROWS])
def test_rows_that_were_mixed_are_not_set_aside_while_they_still_meet(distance: int) -> None:
    draw = Random(7)
    reading = Reading(sorted(range(10 * ROWS), key=lambda row: row + draw.random() * distance), range(10 * ROWS))
    assert not reading.left
    assert max(left for _, left in reading.pace.steps) < 5.5 * ROWS


def test_a_block_of_rows_that_changed_its_place_is_found_in_the_end() -> None:
    rows = list(range(ROWS))
    assert not Reading(rows[900:] + rows[:900], rows).left
