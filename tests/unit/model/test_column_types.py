"""Every kind of type has a row in the table; a column's storage is told at every depth."""

import pytest

from duckback.model.column_types import STORAGE, ColumnType, Storage, is_stored, refused_part, storage_of, storages
from duckback.source.types import parse_type

AROUND = [
    "{}",
    "{}[]",
    "{}[3]",
    "STRUCT(a INTEGER, b {})",
    "MAP(VARCHAR, {})",
    "MAP({}, VARCHAR)",
    "UNION(n {}, t DATE)",
]


@pytest.mark.parametrize("around", AROUND)
def test_a_type_that_parquet_would_change_is_found_at_any_depth(around: str) -> None:
    of = parse_type(around.format("STRUCT(h HUGEINT)"))
    assert is_stored(of, Storage.TEXT)
    assert not is_stored(of, Storage.NATIVE, Storage.WKB)
    assert Storage.TEXT in storages(of)
    assert refused_part(of) is None


def test_storage_of_a_plain_column_is_told_as_it_is() -> None:
    assert storages(parse_type("STRUCT(a INTEGER[], b MAP(VARCHAR, DATE))")) == "as it is"


def test_storage_of_a_mixed_column_names_every_change_once() -> None:
    of = parse_type("STRUCT(a INTERVAL, b HUGEINT, c INTERVAL[], d INTEGER)")
    assert storages(of) == f"{Storage.PARTS}; {Storage.TEXT}"


def test_a_kind_that_the_table_does_not_know_is_refused_inside_of_what_it_knows() -> None:
    unknown = ColumnType("hologram", "HOLOGRAM")
    nested = ColumnType("list", "HOLOGRAM[]", (("child", unknown),))
    assert storage_of(unknown) is None
    assert refused_part(nested) == unknown


def test_the_members_of_a_union_do_not_include_its_tag() -> None:
    assert [name for name, _ in parse_type("UNION(a INTEGER, b VARCHAR)").members] == ["a", "b"]


def test_the_kind_without_columns_is_the_only_one_refused() -> None:
    assert [kind for kind, storage in STORAGE.items() if storage is None] == ["type"]
