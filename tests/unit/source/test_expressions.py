"""Two wordings of one expression say the same; no two expressions do."""

import duckdb
import pytest

from duckback.source.expressions import parsed_by


def say_the_same(one: str, other: str) -> bool:
    with duckdb.connect() as con:
        parsed = parsed_by(con)
        return parsed(one) == parsed(other)


def test_spaces_between_words_say_nothing() -> None:
    assert say_the_same("CAST(1 AS DECIMAL(4,2))", "CAST(1  AS DECIMAL(4, 2))")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CAST(1 AS DECIMAL(4,2))", "CAST(1 AS DECIMAL(4,3))"),
        ("'a,b'", "'a, b'"),
        ("""'"query_location":1'""", """'"query_location":2'"""),
        ("1 +", "2 +"),
        ("(1", "(1 "),
        ("1; SELECT 2", "1; SELECT 3"),
    ],
)
def test_other_expressions_and_other_nonsense_say_something_else(one: str, other: str) -> None:
    assert not say_the_same(one, other)
