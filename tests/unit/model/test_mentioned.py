"""Which tables a query may need is found in its text, and in the definitions that it leads to."""

import pytest

from duckback.model.catalog import Catalog, Column, Macro, MacroOverload, MacroParameter, Table, View
from duckback.model.mentioned import mentioned


def _table(name: str, generated: str | None = None) -> Table:
    columns = (Column(name="i", type="INTEGER"), Column(name="g", type="INTEGER", generated=generated))
    return Table(schema_name="main", name=name, columns=columns, sql="")


def _macro(name: str, definition: str, default: str | None = None) -> Macro:
    overload = MacroOverload(parameters=(MacroParameter(name="p", default=default),), definition=definition)
    return Macro(schema_name="main", name=name, kind="scalar", overloads=(overload,))


CATALOG = Catalog(
    tables=(_table("people"), _table("Ünder wey"), _table('a"b'), _table("lots"), _table("far", "reach(i)")),
    views=(
        View(schema_name="main", name="first", sql="CREATE VIEW first AS FROM second"),
        View(schema_name="main", name="second", sql="CREATE VIEW second AS FROM people"),
    ),
    macros=(_macro("reach", "p + (SELECT count(*) FROM lots)"), _macro("by_default", "p", "(SELECT max(i) FROM lots)")),
)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1", set()),
        ("FROM PEOPLE", {"people"}),
        ("FROM peoples, my_people, people2", set()),
        ('FROM main."people"', {"people"}),
        ("FROM query_table('people')", {"people"}),
        ('FROM "ünder Wey"', {"Ünder wey"}),
        ('FROM "a""b"', {'a"b'}),
        ("FROM first", {"people"}),
        ("SELECT reach(1)", {"lots"}),
        ("SELECT by_default()", {"lots"}),
        ("FROM far", {"far", "lots"}),
    ],
)
def test_tables_are_found_by_name_through_views_macros_and_columns(sql: str, names: set[str]) -> None:
    assert {table.name for table in mentioned(CATALOG, sql)} == names
