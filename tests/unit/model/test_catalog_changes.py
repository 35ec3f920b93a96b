"""Whatever a restored database lacks, has more or has otherwise is told, and DuckDB's wording is no difference."""

from typing import Any

import pytest

from duckback.model.catalog import (
    Catalog,
    Column,
    Constraint,
    Deferred,
    Index,
    Macro,
    MacroOverload,
    MacroParameter,
    Schema,
    SchemaObject,
    Sequence,
    Table,
    Trigger,
    UserType,
    View,
)
from duckback.model.catalog_changes import changes

WHERE: dict[str, Any] = {"schema_name": "s", "name": "x"}
PARAMETER = MacroParameter(name="a", type="INTEGER", default="1")
SEQUENCE = Sequence(**WHERE, start=1, minimum=1, maximum=9, increment=2, cycle=False, last_value=3)
TABLE = Table(**WHERE, columns=(Column(name="i", type="VARCHAR"),), sql="CREATE TABLE s.x (i VARCHAR COLLATE NOCASE);")
OBJECTS: dict[str, tuple[str, SchemaObject]] = {
    "type": ("types", UserType(**WHERE, definition="ENUM('x')")),
    "sequence": ("sequences", SEQUENCE),
    "macro": (
        "macros",
        Macro(**WHERE, kind="scalar", overloads=(MacroOverload(parameters=(PARAMETER,), definition="1"),)),
    ),
    "table": ("tables", TABLE),
    "view": ("views", View(**WHERE, sql="SELECT 1", column_comments={"i": "first"})),
    "index": ("indexes", Index(**WHERE, table="t", sql="CREATE INDEX x ON s.t(i)")),
    "trigger": ("triggers", Trigger(**WHERE, table="t", sql="CREATE TRIGGER x")),
}
KINDS = sorted(OBJECTS)


def catalog(kind: str, *changed: dict[str, Any]) -> Catalog:
    field, item = OBJECTS[kind]
    return Catalog().model_copy(update={field: tuple(item.model_copy(update=each) for each in changed)})


def told(wanted: Catalog, got: Catalog, *deferred: Deferred, same_words: bool = True) -> list[tuple[str, str, str]]:
    return list(changes(wanted, got, deferred, same_words=same_words))


def deferred(kind: str, label: str = "s.x") -> Deferred:
    return Deferred(kind=kind, label=label, statements=(), reason="it failed", is_external=False)


@pytest.mark.parametrize("same_words", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_or_more_is_told_whether_words_compare_or_not(kind: str, same_words: bool) -> None:
    one, none = catalog(kind, {}), Catalog()
    assert told(one, none, same_words=same_words) == [(kind, "s.x", "it is missing")]
    assert told(none, one, same_words=same_words) == [(kind, "s.x", "it was not backed up")]
    assert told(one, one, same_words=same_words) == []


def test_a_missing_or_further_schema_is_told() -> None:
    some = Catalog(schemas=(Schema(name="main"), Schema(name="a"), Schema(name="a.b")))
    others = Catalog(schemas=(Schema(name="main"), Schema(name="a"), Schema(name="c")))
    assert told(some, others) == [("schema", "a.b", "it is missing"), ("schema", "c", "it was not backed up")]


def test_differences_of_every_kind_are_told_in_order_of_their_names() -> None:
    wanted = Catalog(views=tuple(View(schema_name="main", name=name, sql="") for name in "cab"))
    assert [label for _, label, _ in told(wanted, Catalog())] == ["main.a", "main.b", "main.c"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_deferred_is_not_missed_and_another_kind_of_its_name_is(kind: str) -> None:
    one = catalog(kind, {})
    other = next(each for each in KINDS if each != kind)
    assert told(one, Catalog(), deferred(kind)) == []
    assert told(one, Catalog(), deferred(kind, "s.y")) == [(kind, "s.x", "it is missing")]
    assert told(one, Catalog(), deferred(other)) == [(kind, "s.x", "it is missing")]


def test_what_is_deferred_and_there_all_the_same_was_not_to_be_made() -> None:
    view = catalog("view", {})
    assert told(view, view, deferred("view")) == [("view", "s.x", "it was not backed up")]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    *((kind, {"comment": "said"}) for kind in KINDS),
    ("type", {"definition": "ENUM('y')"}),
    ("sequence", {"last_value": 5}),
    ("sequence", {"increment": 1}),
    ("sequence", {"minimum": 0}),
    ("sequence", {"maximum": 10}),
    ("sequence", {"cycle": True}),
    ("macro", {"overloads": ()}),
    ("macro", {"overloads": (MacroOverload(parameters=(), definition="1"),)}),
    *(
        ("macro", {"overloads": (MacroOverload(parameters=(PARAMETER.model_copy(update=other),), definition="1"),)})
        for other in ({"name": "b"}, {"type": None}, {"default": None})
    ),
    ("table", {"columns": ()}),
    *(
        ("table", {"columns": (TABLE.columns[0].model_copy(update=other),)})
        for other in (
            {"name": "j"},
            {"type": "BIGINT"},
            {"not_null": True},
            {"default": "1"},
            {"generated": "1"},
            {"collation": "NOCASE"},
            {"comment": "said"},
        )
    ),
    ("table", {"constraints": (Constraint(kind="UNIQUE", columns=("i",)),)}),
    ("table", {"sql": "CREATE TABLE s.x (i VARCHAR);"}),
    ("view", {"column_comments": {}}),
    ("index", {"table": "u"}),
]


@pytest.mark.parametrize(("kind", "change"), CHANGES)
def test_a_changed_object_is_told_with_both_forms_unless_words_differ_anyway(kind: str, change: dict[str, Any]) -> None:
    then, now = catalog(kind, {}), catalog(kind, change)
    ((told_kind, label, text),) = told(then, now)
    assert (told_kind, label) == (kind, "s.x")
    before, _, after = text.partition(" instead of ")
    assert before != after
    assert told(now, then)[0][2] == f"{after} instead of {before}"
    assert told(then, now, same_words=False) == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("view", {"sql": "SELECT  1"}),
        ("index", {"sql": 'CREATE INDEX "x"'}),
        ("trigger", {"sql": "create trigger x"}),
        ("table", {"sql": "create table x (i VARCHAR COLLATE nocase) "}),
        ("macro", {"overloads": (MacroOverload(parameters=(PARAMETER,), definition="(1)"),)}),
    ],
)
def test_wording_is_no_difference(kind: str, change: dict[str, Any]) -> None:
    assert told(catalog(kind, {}), catalog(kind, change)) == []


@pytest.mark.parametrize("own", [(), (UserType(schema_name="s", name="double", definition="INTEGER"),)])
def test_quotes_around_a_kind_are_no_difference_unless_a_type_is_called_like_it(own: tuple[UserType, ...]) -> None:
    def with_default(kind: str) -> Catalog:
        column = TABLE.columns[0].model_copy(update={"default": f"CAST(1 AS {kind})"})
        return Catalog(types=own, tables=(TABLE.model_copy(update={"columns": (column,)}),))

    assert len(told(with_default("DOUBLE"), with_default('"DOUBLE"'))) == len(own)
    assert len(told(with_default("DOUBLE"), with_default('"double"'))) == 1


def test_the_order_of_constraints_is_no_difference() -> None:
    some = tuple(Constraint(kind="CHECK", expression=text) for text in ("a", "b"))
    assert told(catalog("table", {"constraints": some}), catalog("table", {"constraints": some[::-1]})) == []


@pytest.mark.parametrize(
    ("got", "is_same"),
    [
        ({"start": 5, "last_value": None}, True),
        ({"start": 2, "last_value": 3}, True),
        ({"start": 3, "last_value": None}, False),
        ({"last_value": 9}, False),
    ],
)
def test_a_sequence_is_what_it_gives_next(got: dict[str, Any], is_same: bool) -> None:
    assert (told(catalog("sequence", {}), catalog("sequence", got)) == []) == is_same


def test_sequences_that_are_exhausted_are_the_same_wherever_they_began() -> None:
    some, other = {"last_value": 9}, {"start": 4, "last_value": 8}
    assert told(catalog("sequence", some), catalog("sequence", other)) == []


@pytest.mark.parametrize(("kind", "change"), [("macro", {"kind": "table"}), ("trigger", {"table": "u"})])
def test_a_macro_of_another_kind_and_a_trigger_of_another_table_are_others(kind: str, change: dict[str, Any]) -> None:
    changed = told(catalog(kind, {}), catalog(kind, change))
    assert changed == [(kind, "s.x", "it is missing"), (kind, "s.x", "it was not backed up")]


def test_a_missing_macro_is_told_though_one_of_its_name_that_gives_a_table_is_there() -> None:
    both, one = catalog("macro", {}, {"kind": "table"}), catalog("macro", {"kind": "table"})
    assert [change[:2] for change in told(both, one)] == [("macro", "s.x")]


def test_a_missing_trigger_is_told_though_another_table_has_one_of_its_name() -> None:
    both, one = catalog("trigger", {}, {"table": "u"}), catalog("trigger", {"table": "u"})
    assert [change[:2] for change in told(both, one)] == [("trigger", "s.x")]


def test_expressions_that_say_the_same_in_other_words_are_no_difference_and_others_are() -> None:
    def table(default: str, check: str) -> Catalog:
        columns = (TABLE.columns[0].model_copy(update={"default": default}),)
        checks = (Constraint(kind="CHECK", expression=check),)
        return catalog("table", {"columns": columns, "constraints": checks})

    def without_spaces(text: str) -> str:
        return text.replace(" ", "")

    one = table("f(1, 2)", "g(1, 2)")
    assert list(changes(one, table("f(1,2)", "g(1,2)"), (), parsed=without_spaces)) == []
    for other in (table("f(1,3)", "g(1, 2)"), table("f(1, 2)", "g(1,3)")):
        ((kind, label, _),) = changes(one, other, (), parsed=without_spaces)
        assert (kind, label) == ("table", "s.x")
