"""The path of a schema reads back as the names that it was written from, whatever is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.model.names import schema_names, schema_path

PARTS = st.one_of(st.text(min_size=1, max_size=5), st.text('a." \n', min_size=1, max_size=5))
NAMES = st.lists(PARTS, min_size=1, max_size=4).map(tuple)


@given(NAMES)
def test_any_names_come_back_from_their_path(names: tuple[str, ...]) -> None:
    assert schema_names(schema_path(names)) == names


@given(NAMES, NAMES)
def test_other_names_have_another_path(some: tuple[str, ...], others: tuple[str, ...]) -> None:
    assert (schema_path(some) == schema_path(others)) == (some == others)


@given(st.text('ab."', max_size=12))
def test_a_text_is_no_path_or_has_names_of_at_least_a_letter_each(text: str) -> None:
    try:
        names = schema_names(text)
    except ValueError:
        return
    assert names
    assert all(names)
    assert schema_names(schema_path(names)) == names


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (("main",), "main"),
        (("a", "b"), "a.b"),
        (("a.b",), '"a.b"'),
        (("a.b", "c"), '"a.b".c'),
        (('a"b',), '"a""b"'),
        (('"',), '""""'),
        ((".",), '"."'),
        (("Tä Ble 🦆", "it's", "new\nline"), "Tä Ble 🦆.it's.new\nline"),
    ],
)
def test_only_names_with_a_dot_or_a_quote_are_quoted(names: tuple[str, ...], path: str) -> None:
    assert schema_path(names) == path
    assert schema_names(path) == names


def test_a_name_may_be_quoted_without_need() -> None:
    assert schema_names('"a"."b"') == ("a", "b")


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", '"', '""', '"""', '"a', 'a"', 'a"b', '"a"b', 'a."".b'])
def test_a_text_that_is_no_path_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not the path of a schema") as failure:
        schema_names(text)
    assert repr(text) in str(failure.value)
