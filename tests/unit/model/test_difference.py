"""What of a table must be compared with its parent, what then is proven, and where its rows lie afterwards."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.model.difference import NOTHING, Changes, Chunk, Match, are_proven, is_hopeless, match, next_segments
from duckback.model.manifest import Fingerprint, Run, Segment

FINGERPRINTS = st.builds(Fingerprint, rows=st.integers(1, 5), sum1=st.integers(0, 3), sum2=st.integers(0, 3))


def rows(count: int, total: int) -> Fingerprint:
    return Fingerprint(rows=count, sum1=total, sum2=-total)


def segment(fingerprint: Fingerprint, chunk: int | None, *runs: Run) -> Segment:
    return Segment(fingerprint=fingerprint, runs=runs or (Run(object=0, first_row=0, rows=1),), chunk=chunk)


@given(st.lists(FINGERPRINTS, max_size=8), st.lists(FINGERPRINTS, max_size=8))
def test_chunks_and_segments_are_paired_one_to_one_by_their_fingerprints(
    now: list[Fingerprint], then: list[Fingerprint]
) -> None:
    chunks = [Chunk(number, one) for number, one in enumerate(now)]
    segments = [segment(one, number, Run(object=number, first_row=0, rows=1)) for number, one in enumerate(then)]
    found = match(chunks, segments)
    numbers = [one.chunk for one in found.same] + [one.number for one in found.chunks]
    assert sorted(number for number in numbers if number is not None) == list(range(len(now)))
    objects = [one.runs[0].object for one in (*found.same, *found.segments)]
    assert sorted(objects) == list(range(len(then)))
    for one in found.same:
        assert one.chunk is not None
        assert one.fingerprint == now[one.chunk]
    left = {chunk.fingerprint for chunk in found.chunks}
    assert left.isdisjoint(one.fingerprint for one in found.segments)


def test_a_chunk_stays_with_the_segment_of_its_number_where_several_are_equal() -> None:
    one = rows(2, 7)
    segments = [segment(one, number, Run(object=number, first_row=0, rows=2)) for number in (0, 1, 2)]
    found = match([Chunk(2, one), Chunk(1, one)], segments)
    assert [(s.chunk, s.runs[0].object) for s in found.same] == [(2, 2), (1, 1)]


def test_a_chunk_that_has_moved_gets_its_new_number() -> None:
    found = match([Chunk(3, rows(2, 7))], [segment(rows(2, 7), 5)])
    assert [one.chunk for one in found.same] == [3]


def test_a_difference_is_proven_if_what_is_left_and_what_is_added_is_the_table() -> None:
    changes = Changes(added={4: rows(2, 10)}, removed={0: rows(1, 3)})
    assert are_proven(changes, parent=rows(5, 50), now=rows(6, 57))
    assert not are_proven(changes, parent=rows(5, 50), now=rows(6, 58))
    assert not are_proven(changes, parent=rows(5, 50), now=rows(7, 57))
    assert not are_proven(Changes({}, {0: rows(6, 3)}), parent=rows(5, 50), now=NOTHING)


def test_a_chunk_that_changed_lies_where_it_lay_and_in_what_was_added() -> None:
    old, new = Run(object=0, first_row=10, rows=5), Run(object=3, first_row=2, rows=1)
    found = Match((), (Chunk(7, rows(5, 52)),), (segment(rows(5, 50), 7, old),))
    changes = Changes(added={7: rows(1, 4)}, removed={0: rows(1, 2)})
    (one,) = next_segments(found, changes, {7: new})
    assert one == segment(rows(5, 52), 7, old, new)


def test_a_new_chunk_lies_in_what_was_added_and_one_that_is_gone_nowhere() -> None:
    new = Run(object=3, first_row=0, rows=5)
    found = Match((segment(rows(1, 1), 0),), (Chunk(9, rows(5, 52)),), (segment(rows(4, 9), 1),))
    changes = Changes(added={9: rows(5, 52)}, removed={0: rows(4, 9)})
    assert next_segments(found, changes, {9: new}) == (segment(rows(1, 1), 0), segment(rows(5, 52), 9, new))


def test_chunks_between_which_rows_have_moved_become_one_segment() -> None:
    first, second = Run(object=0, first_row=0, rows=5), Run(object=0, first_row=5, rows=5)
    found = Match((), (Chunk(0, rows(5, 30)), Chunk(1, rows(4, 40))), (
        segment(rows(5, 35), 0, first), segment(rows(5, 40), 1, second),
    ))  # fmt: skip
    changes = Changes(added={}, removed={1: rows(1, 5)})
    (one,) = next_segments(found, changes, {})
    assert one == segment(rows(9, 70), None, first, second)


def test_one_chunk_alone_whose_rows_lie_elsewhere_keeps_its_number() -> None:
    run = Run(object=0, first_row=0, rows=5)
    found = Match((), (Chunk(2, rows(5, 30)),), (segment(rows(5, 30), None, run),))
    assert next_segments(found, Changes({}, {}), {}) == (segment(rows(5, 30), 2, run),)


BATCHES = 40
ROWS = 1000 * BATCHES
"""Of both sides; half of it is what the table has, and as many may be left over."""


def given_up_after(left: Callable[[int], float]) -> int | None:
    """The batch after which a comparison that leaves so many rows after each batch is hopeless."""
    steps = [(1000 * batch, round(left(batch))) for batch in range(1, BATCHES + 1)]
    return next((n for n in range(1, BATCHES + 1) if is_hopeless(steps[:n], ROWS, ROWS / 4)), None)


def test_a_comparison_is_given_up_when_too_many_rows_are_left_over() -> None:
    assert given_up_after(lambda batch: 1000 * batch) == BATCHES // 4 + 1


@pytest.mark.parametrize(("share", "given_up"), [(0.5, 6), (0.3, 6), (0.24, None), (0.1, None)])
def test_a_comparison_of_a_table_updated_all_over_is_given_up_early_or_never(
    share: float, given_up: int | None
) -> None:
    assert given_up_after(lambda batch: 1000 * batch * share) == given_up


def test_rows_that_only_moved_are_compared_to_the_end() -> None:
    shifted, all_over = 8, 1000 * BATCHES
    assert given_up_after(lambda batch: 1000 * min(batch, shifted)) is None
    assert given_up_after(lambda batch: all_over * (batch / BATCHES) * (1 - batch / BATCHES)) is None


def test_one_part_of_a_table_in_which_much_changed_is_no_reason_to_give_up_what_follows() -> None:
    assert given_up_after(lambda batch: 500 * min(batch, 4)) is None
