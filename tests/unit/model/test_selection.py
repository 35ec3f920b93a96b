"""What is asked for is taken with what it needs, and everything else is told by its name."""

from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from duckback.errors import UsageError
from duckback.model.catalog import (
    Catalog,
    Column,
    Constraint,
    Index,
    Macro,
    MacroOverload,
    Schema,
    Sequence,
    Table,
    Trigger,
    UserType,
    View,
)
from duckback.model.selection import Selection, select

KINDS = ("types", "sequences", "macros", "tables", "views", "indexes", "triggers")


def at(label: str) -> dict[str, Any]:
    schema, _, name = label.rpartition(".")
    return {"schema_name": schema, "name": name}


def table(label: str, *constraints: Constraint, default: str | None = None, generated: str | None = None) -> Table:
    column = Column(name="i", type="INTEGER", default=default, generated=generated)
    return Table(**at(label), columns=(column,), constraints=constraints, sql="")


def sequence(label: str) -> Sequence:
    return Sequence(**at(label), start=1, minimum=1, maximum=9, increment=1, cycle=False, last_value=None)


def macro(label: str, definition: str = "1") -> Macro:
    return Macro(**at(label), kind="scalar", overloads=(MacroOverload(parameters=(), definition=definition),))


def trigger(label: str, table: str) -> Trigger:
    return Trigger(**at(label), table=table, sql="")


def to(table: str) -> Constraint:
    return Constraint(kind="FOREIGN KEY", columns=("i",), referenced_table=table, referenced_columns=("i",))


SHOP = Catalog(
    schemas=tuple(Schema(name=name) for name in ("main", "a", "a.b", "s")),
    types=(UserType(**at("main.mood"), definition="ENUM('x')"),),
    sequences=tuple(map(sequence, ("main.ids", "main.other", "s.ids2"))),
    macros=tuple(map(macro, ("main.twice", "main.half", "s.Third"))),
    tables=(
        table("main.people", Constraint(kind="CHECK", expression="twice(THIRD('x'::MOOD))"), default="nextval('ids')"),
        table("main.visits", to("people"), to("visits")),
        *map(table, ("a.b.people", "s.[x]", "s.x")),
    ),
    views=(View(**at("main.visitors"), sql="SELECT half(i) FROM visits"),),
    indexes=tuple(Index(**at(f"main.by_{each}"), table=each, sql="") for each in ("people", "visits")),
    triggers=(trigger("main.told", "people"), trigger("a.b.told", "people")),
)
MANY = Catalog(tables=tuple(table(f"main.t{number:02}") for number in range(21)))


def taken(selection: Selection, catalog: Catalog = SHOP) -> set[str]:
    narrowed, _ = select(catalog, selection)
    return {f"{kind} {item.label}" for kind in KINDS for item in getattr(narrowed, kind)}


def test_a_table_is_taken_with_its_index_and_trigger_and_what_its_default_and_check_name() -> None:
    needed = {"types main.mood", "sequences main.ids", "macros main.twice", "macros s.Third"}
    on_it = {"tables main.people", "indexes main.by_people", "triggers main.told"}
    assert taken(Selection(tables=("people",))) == needed | on_it


def test_what_a_generated_column_or_a_view_names_is_taken_with_it() -> None:
    generated = Catalog(macros=(macro("main.twice"),), tables=(table("main.t", generated="twice(j)"),))
    assert "macros main.twice" in taken(Selection(tables=("t",)), generated)
    assert taken(Selection(tables=("visitors",))) == {"macros main.half", "views main.visitors"}


def test_what_a_macro_names_and_what_has_a_quote_in_its_name_is_taken_too() -> None:
    macros = (macro("main.a", "nextval('ids')"), macro("main.z", "a() + 1"))
    chain = Catalog(sequences=(sequence("main.ids"),), macros=macros, tables=(table("main.t", default="z()"),))
    assert {"macros main.a", "sequences main.ids"} <= taken(Selection(tables=("t",)), chain)
    quoted = Catalog(sequences=(sequence("main.it's"),), tables=(table("main.t", default="""nextval('"it''s"')"""),))
    assert "sequences main.it's" in taken(Selection(tables=("t",)), quoted)


def test_nothing_is_left_out_unless_asked_for_but_foreign_keys_to_what_is() -> None:
    assert select(SHOP, Selection()) == (SHOP, ())
    narrowed, left_out = select(SHOP, Selection(tables=("visits",)))
    assert narrowed.tables[0].constraints == (to("visits"),)
    assert "foreign key of main.visits to people" in left_out
    assert select(SHOP, Selection(exclude=("other",)))[1] == ("sequence main.other",)


def test_a_table_that_a_key_or_trigger_writes_in_another_case_is_the_same() -> None:
    some = (table("main.p"), table("main.k", to("P")), table("main.z"))
    mixed = Catalog(tables=some, triggers=(trigger("main.x", "P"),))
    assert select(mixed, Selection(exclude=("z",)))[1] == ("table main.z",)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("people", ["main.people"]), ("PEOPLE", ["main.people"]), ("*.people", ["main.people", "a.b.people"]),
        ("v?sits", ["main.visits"]), ("*o*", ["main.people", "a.b.people"]), ("s.[x]", ["s.[x]"]),
        ("S.[X]", ["s.[x]"]), ("S.X", ["s.x"]), ("*", [table.label for table in SHOP.tables]),
    ],
)  # fmt: skip
def test_names_are_patterns_of_any_case_and_bare_ones_are_of_main(pattern: str, found: list[str]) -> None:
    assert [table.label for table in select(SHOP, Selection(tables=(pattern,)))[0].tables] == found


def test_a_schema_is_taken_with_all_it_lies_in_and_nothing_else() -> None:
    narrowed, _ = select(SHOP, Selection(schemas=("A.b",)))
    assert [schema.name for schema in narrowed.schemas] == ["main", "a", "a.b"]
    assert taken(Selection(schemas=("A.b",))) == {"tables a.b.people", "triggers a.b.told"}
    assert taken(Selection(schemas=("a",))) == set()


def test_what_is_excluded_is_left_out_whatever_it_is() -> None:
    excluded = Selection(exclude=("visits", "ids", "HALF", "s.*", "mood", "by_people", "*.told"))
    rest = {"sequences main.other", "macros main.twice", "tables main.people", "tables a.b.people"}
    assert taken(excluded) == rest | {"views main.visitors"}
    both = Selection(tables=("p*", "v?sits"), schemas=("main",), exclude=("people", "by_*"))
    assert taken(both) == {"tables main.visits"}


def test_an_empty_schema_is_kept_or_told() -> None:
    schemas = (Schema(name="main"), Schema(name="e"))
    narrowed, left_out = select(Catalog(schemas=schemas, tables=(table("main.t"),)), Selection(exclude=("t",)))
    assert "e" in [schema.name for schema in narrowed.schemas] or "schema e" in left_out


def test_tables_that_read_alike_and_triggers_of_one_name_are_told_apart() -> None:
    schemas = tuple(Schema(name=name) for name in ("a", "a.b"))
    clash = Catalog(schemas=schemas, tables=(table("a.t").model_copy(update={"name": "b.c"}), table("a.b.c")))
    assert "table a.b.c" in select(clash, Selection(schemas=("a",)))[1]
    triggers = (trigger("main.one", "q"), trigger("main.one", "r"))
    two = Catalog(tables=(table("main.q"), table("main.r")), triggers=triggers)
    assert "trigger main.one" in select(two, Selection(tables=("q",)))[1]


@pytest.mark.parametrize(
    ("catalog", "selection", "message", "hint"),
    [
        (SHOP, Selection(tables=("people", "b.people")), "no table 'b.people'", "Tables and views that are there: a.b.p"),
        (SHOP, Selection(schemas=("s", "b")), "no schema 'b'", "Schemas that are there: a, a.b, main, s."),
        (MANY, Selection(tables=("absent",)), "no table 'absent'", "main.t18, main.t19 and others."),
        (Catalog(), Selection(tables=("absent",)), "no table 'absent'", "are there: none."),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(catalog: Catalog, selection: Selection, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as failure:
        select(catalog, selection)
    assert hint in (failure.value.hint or "")


PLACES = [f"{schema}.{name}" for schema, name in product(("main", "a", "a.b"), ("t", "U", "v"))]
LABELS = st.lists(st.sampled_from(PLACES), unique=True)
NAMES, PATHS = st.sampled_from(("t", "U", "v")), st.sampled_from([(), ("main",), ("a",), ("a.b",), ("A*",)])
PATTERNS = st.lists(st.sampled_from([*PLACES, "t", "u", "*", "*.t", "a.*", "?"]), max_size=2).map(tuple)
CATALOGS = st.builds(
    Catalog,
    schemas=st.just(SHOP.schemas[:3]),
    sequences=LABELS.map(lambda labels: tuple(map(sequence, labels))),
    tables=LABELS.flatmap(lambda all_: st.tuples(*(st.builds(table, st.just(one), NAMES.map(to)) for one in all_))),
    views=LABELS.map(lambda labels: tuple(View(**at(f"{label}_"), sql="") for label in labels)),
    triggers=LABELS.flatmap(lambda all_: st.tuples(*(st.builds(trigger, st.just(one), NAMES) for one in all_))),
)


def told(catalog: Catalog, there: set[str]) -> list[str]:
    labels = [f"schema {schema.name}" for schema in catalog.schemas]
    labels += [f"{kind.removesuffix('s')} {item.label}" for kind in KINDS for item in getattr(catalog, kind)]
    held = [(table.label, to) for table in catalog.tables for to in table.constraints if table.label in there]
    return [*labels, *(f"foreign key of {label} to {to.referenced_table}" for label, to in held)]


@given(CATALOGS, st.builds(Selection, tables=PATTERNS, schemas=PATHS, exclude=PATTERNS))
def test_the_kept_and_the_left_out_are_the_whole_and_never_overlap(catalog: Catalog, selection: Selection) -> None:
    try:
        kept, left_out = select(catalog, selection)
    except UsageError:
        assume(False)
    there = {table.label for table in kept.tables}
    assert sorted([*told(kept, there), *left_out]) == sorted(told(catalog, there))
    used = {item.schema_name for kind in KINDS for item in getattr(kept, kind)}
    assert {"main"} | used | {"a"} & {path[0] for path in used} <= {schema.name for schema in kept.schemas}
