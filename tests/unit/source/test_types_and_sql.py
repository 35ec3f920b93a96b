"""Names and types go into SQL and come back as they were."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duckback.model.column_types import ColumnType
from duckback.source.sql import identifier, literal, qualified
from duckback.source.types import parse_type

# DuckDB 1 does not read a NUL in a statement.
UNREADABLE = "\0" if duckdb.__version__.startswith("1.") else ""
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=UNREADABLE), max_size=40)
CON = duckdb.connect()


@given(TEXTS)
@settings(max_examples=80, deadline=None)
def test_any_text_is_itself_as_a_literal(text: str) -> None:
    assert CON.execute(f"SELECT {literal(text)}").fetchone() == (text,)


@given(TEXTS.filter(bool))
@settings(max_examples=80, deadline=None)
def test_any_name_is_itself_as_an_identifier(name: str) -> None:
    answer = CON.execute(f"SELECT 1 AS {identifier(name)}")
    assert answer.description is not None
    assert answer.description[0][0] == name


def test_a_qualified_name_quotes_each_part() -> None:
    assert qualified("a.b", 'c"d', "e") == '"a.b"."c""d"."e"'


def test_a_type_is_a_tree_of_its_members() -> None:
    tree = parse_type("STRUCT(\"a b\" DECIMAL(3,1)[], m MAP(VARCHAR, ENUM('x''y')))[2]")
    assert tree.id == "array"
    (_, struct), *_ = tree.members
    assert struct.id == "struct"
    names = dict(struct.members)
    assert list(names) == ["a b", "m"]
    assert names["a b"].members == (("child", ColumnType("decimal", "DECIMAL(3,1)")),)
    assert [member.id for _, member in names["m"].members] == ["varchar", "enum"]


@pytest.mark.parametrize("text", ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIME_NS", "BIT", "UUID", "UHUGEINT"])
def test_a_plain_type_keeps_its_sql(text: str) -> None:
    assert parse_type(text) == ColumnType(text.lower(), text)
