"""How values are written that Parquet does not hold."""

import duckdb
from hypothesis import example, given
from hypothesis import strategies as st

from duckback.source.encoding import stored
from duckback.source.types import parse_type

TEXT = stored("a", parse_type("UHUGEINT"))


@given(st.integers(0, (1 << 128) - 1))
@example(0)
@example((1 << 127) - 1)
@example(1 << 127)
@example(2 * 10**38)
@example(2 * 10**38 + 1)
@example((1 << 128) - 1)
def test_the_text_of_a_uhugeint_is_that_of_duckdb(value: int) -> None:
    found = duckdb.execute(f"SELECT {TEXT}, a::VARCHAR FROM (SELECT '{value}'::UHUGEINT AS a)").fetchall()
    assert found == [(str(value), str(value))]


def test_no_uhugeint_stays_none() -> None:
    assert duckdb.execute(f"SELECT {TEXT} FROM (SELECT NULL::UHUGEINT AS a)").fetchall() == [(None,)]
