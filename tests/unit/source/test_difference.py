"""The multiset difference of two sets of rows, however they come in batches."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from duckback.source.difference import NOW, Difference

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 1)), max_size=30)


def query(rows: list[tuple[int, int, int, int]]) -> str:
    values = ", ".join(f"({o}, {r}, {h1}::UBIGINT, {h2}::UBIGINT)" for o, r, h1, h2 in rows)
    if not values:
        return f"SELECT {NOW} AS o, 0 AS r, 0::UBIGINT AS h1, 0::UBIGINT AS h2 WHERE false"
    return f"SELECT * FROM (VALUES {values}) v(o, r, h1, h2)"


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 5), st.data())
def test_what_is_left_is_what_one_side_has_more_of(
    rows: list[tuple[bool, int, int]], batches: int, data: st.DataObject
) -> None:
    placed = [(NOW if is_now else 0, number, h1, h2) for number, (is_now, h1, h2) in enumerate(rows)]
    hashes = {number: (h1, h2) for number, (_, h1, h2) in enumerate(rows)}
    now = Counter((h1, h2) for is_now, h1, h2 in rows if is_now)
    then = Counter((h1, h2) for is_now, h1, h2 in rows if not is_now)
    with TemporaryDirectory() as name, duckdb.connect() as con:
        difference = Difference(con, Path(name) / "new", "t")
        left: dict[int, int] = {}
        aside = 0
        for start in range(batches):
            left = difference.cancel({start: [query(placed[start::batches])]})
            assert sum(left.values()) + aside <= len(placed)
            chosen = data.draw(st.lists(st.sampled_from(sorted(left)), unique=True)) if left else []
            difference.set_aside(chosen)
            aside += sum(left.pop(number) for number in chosen)
        assert sum(left.values()) + aside >= sum(((now - then) + (then - now)).values())
        difference.settle()
        added = [r for (r,) in con.execute(difference.added(0, 100)).fetchall()]
        removed = con.execute(difference.removed(["the object"])).fetchall()
        assert Counter(hashes[r] for r in added) == now - then
        assert Counter(hashes[r] for _, r in removed) == then - now
        assert all(rows[r][0] for r in added)
        assert not any(rows[r][0] for _, r in removed)
        assert {name for name, _ in removed} <= {"the object"}
        sums = difference.added_by(10)
        assert sum(one.rows for one in sums.values()) == len(added)
        assert {number: one.sum1 for number, one in sums.items()} == {
            number: sum(hashes[r][0] for r in added if r // 10 == number) for number in {r // 10 for r in added}
        }
        gone = difference.removed_by([(0, 0, 5), (0, 10, 6), (0, 20, 5)])
        expected = Counter(6 if 10 <= r < 20 else 5 for _, r in removed)
        assert {label: one.rows for label, one in gone.items()} == dict(expected)
        difference.close()
        assert list((Path(name) / "new").iterdir()) == []


def test_of_equal_rows_in_the_table_the_last_ones_are_new() -> None:
    with TemporaryDirectory() as name, duckdb.connect() as con:
        difference = Difference(con, Path(name), "t")
        difference.cancel({0: [query([(NOW, 3, 1, 1), (NOW, 9, 1, 1), (NOW, 5, 1, 1), (0, 0, 1, 1)])]})
        difference.settle()
        assert sorted(con.execute(difference.added(0, 100)).fetchall()) == [(5,), (9,)]


def test_of_nothing_nothing_is_left() -> None:
    with TemporaryDirectory() as name, duckdb.connect() as con:
        difference = Difference(con, Path(name), "t")
        assert list(Path(name).iterdir()) == []
        difference.settle()
        assert con.execute(difference.added(0, 100)).fetchall() == []
        assert difference.removed_by([]) == {}
