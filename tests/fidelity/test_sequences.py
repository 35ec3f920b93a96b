"""A sequence gives after a restore what it would have given next, wherever the file had kept its position."""

import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.engines import ENGINES, INSTALLED
from support.files_writers import Application, Refused
from support.place import Place
from support.snapshots import rows

from duckback.model.catalog import Sequence

WRITERS = tuple(dict.fromkeys(ENGINES))
BIGGEST, SMALLEST = (1 << 63) - 1, -(1 << 63)
USED = {
    "never used": ("START 5", 0),
    "used once": ("START 5", 1),
    "used several times": ("START 5", 7),
    "at its end with a cycle": ("MAXVALUE 3 CYCLE", 3),
    "just after wrapping": ("MAXVALUE 3 CYCLE", 4),
    "wrapped below its start": ("START 3 MINVALUE 2 MAXVALUE 5 CYCLE", 4),
    "exhausted": ("MAXVALUE 3", 3),
    "exhausted and asked again": ("MAXVALUE 3", 5),
    "descending": ("INCREMENT -1 MINVALUE -9 MAXVALUE -1", 4),
    "descending and exhausted": ("INCREMENT -2 START -1 MINVALUE -6 MAXVALUE -1", 3),
    "descending with a cycle, at its end": ("INCREMENT -2 START 3 MINVALUE -1 MAXVALUE 4 CYCLE", 3),
    "in threes that miss the end": ("INCREMENT 3 MAXVALUE 8", 2),
    "in threes, beyond its end": ("INCREMENT 3 MAXVALUE 8", 3),
    "in threes with a cycle, at its last": ("INCREMENT 3 START 2 MAXVALUE 9 CYCLE", 3),
    "in threes just after wrapping": ("INCREMENT 3 START 2 MAXVALUE 9 CYCLE", 4),
    "of two values": ("MINVALUE 4 MAXVALUE 5 CYCLE", 1),
    "near the largest number": (f"START {BIGGEST - 2}", 1),
    "near the largest number with a cycle": (f"START {BIGGEST - 2} CYCLE", 2),
    "near the smallest number": (f"INCREMENT -1 MINVALUE {SMALLEST} MAXVALUE -1 START {SMALLEST + 2}", 1),
}
BEYOND = {
    "beyond the largest number": (f"START {BIGGEST - 2}", 2),
    "at the largest number, never used": (f"START {BIGGEST}", 0),
    "beyond the smallest number": (f"INCREMENT -1 MINVALUE {SMALLEST} MAXVALUE -1 START {SMALLEST + 2}", 2),
}
LEFT = ("checkpointed", "in its log only", "checkpointed and then used in its log")


def leave(path: Path, how: str, writer: str, options: str = "", used: Mapping[str, tuple[str, int]] = USED) -> None:
    created = [f'CREATE SEQUENCE "{name}" {definition}' for name, (definition, _) in used.items()]
    before = [use for name, (_, uses) in used.items() for use in [f"""SELECT nextval('"{name}"')"""] * (uses // 2)]
    after = [
        use for name, (_, uses) in used.items() for use in [f"""SELECT nextval('"{name}"')"""] * (uses - uses // 2)
    ]
    with Application(path, writer, options) as app:
        app.run(*created)
        for statement in before:
            app.run(statement)
        if how == "checkpointed and then used in its log":
            app.run("CHECKPOINT")
        for statement in after:
            with suppress(Refused):
                app.run(statement)
        if how == "checkpointed":
            app.close()
    assert path.with_name(f"{path.name}.wal").exists() == (how != "checkpointed")


def answers(path: Path, folder: Path, names: Iterable[str] = USED) -> dict[str, list[int | str]]:
    folder.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, folder)
    with duckdb.connect(folder / path.name) as con:
        return {name: [next_of(con, name) for _ in range(5)] for name in names}


def next_of(con: duckdb.DuckDBPyConnection, name: str) -> int | str:
    try:
        return int(rows(con, f"""SELECT nextval('"{name}"')""")[0][0])
    except duckdb.SequenceException:
        return "reached its end"


@pytest.fixture(scope="module", params=[(writer, how) for writer in WRITERS for how in LEFT], ids=" ".join)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, list[int | str]], dict[str, list[int | str]]]:
    """What sequences give next: of the source, and of the file that was restored from its backup."""
    writer, how = request.param
    place = Place(tmp_path_factory.mktemp("sequences"))
    leave(place.root / "small.duckdb", how, writer)
    wanted = answers(place.database, place.root / "copy of the source")
    place.run("backup", place.database).worked()
    place.run("restore", place.target).worked()
    return wanted, answers(place.target, place.root / "copy of the target")


@pytest.mark.parametrize("name", USED)
def test_a_restored_sequence_gives_what_the_source_would_have_given(
    pair: tuple[dict[str, list[int | str]], dict[str, list[int | str]]], name: str
) -> None:
    wanted, got = pair
    assert got[name] == wanted[name]


def test_the_answers_that_are_compared_are_those_that_the_uses_call_for(
    pair: tuple[dict[str, list[int | str]], dict[str, list[int | str]]],
) -> None:
    wanted, _ = pair
    assert wanted["never used"] == [5, 6, 7, 8, 9]
    assert wanted["used several times"] == [12, 13, 14, 15, 16]
    assert wanted["just after wrapping"] == [2, 3, 1, 2, 3]
    assert wanted["exhausted"] == wanted["in threes, beyond its end"] == ["reached its end"] * 5
    assert wanted["near the largest number with a cycle"] == [BIGGEST, 1, 2, 3, 4]


@pytest.mark.parametrize("name", BEYOND)
def test_a_sequence_at_the_end_of_all_numbers_is_restored_exhausted(place: Place, name: str) -> None:
    leave(place.root / "small.duckdb", "checkpointed", INSTALLED, used={name: BEYOND[name]})
    assert answers(place.database, place.root / "copy of the source", [name]) == {name: ["reached its end"] * 5}
    place.run("backup", place.database).worked()
    place.run("restore", place.target).worked()
    assert answers(place.target, place.root / "copy of the target", [name]) == {name: ["reached its end"] * 5}


@pytest.mark.parametrize("writer", [writer for writer in WRITERS if writer.startswith("1.")])
def test_a_direct_capture_refuses_sequences_in_a_log_whose_position_is_not_told(place: Place, writer: str) -> None:
    leave(place.root / "small.duckdb", "checkpointed and then used in its log", writer)
    refused = place.run("backup", place.database, "--capture", "direct")
    refused.failed(30, "main.just after wrapping", "in the write-ahead log", "--capture image")
    assert place.manifests() == []


@pytest.mark.parametrize("how", LEFT)
@pytest.mark.skipif(not INSTALLED.startswith("2."), reason="only DuckDB 2 tells positions of a log")
def test_a_direct_capture_of_the_newest_storage_has_the_positions_of_the_log(place: Place, how: str) -> None:
    leave(place.root / "small.duckdb", how, INSTALLED, "STORAGE_VERSION 'latest'")
    wanted = answers(place.database, place.root / "copy of the source")
    place.run("backup", place.database, "--capture", "direct").worked()
    place.run("restore", place.target).worked()
    assert answers(place.target, place.root / "copy of the target") == wanted


@pytest.mark.parametrize("writer", WRITERS)
def test_a_direct_capture_of_a_file_without_a_log_has_the_positions(place: Place, writer: str) -> None:
    leave(place.root / "small.duckdb", "checkpointed", writer)
    wanted = answers(place.database, place.root / "copy of the source")
    place.run("backup", place.database, "--capture", "direct").worked()
    place.run("restore", place.target).worked()
    assert answers(place.target, place.root / "copy of the target") == wanted


NUMBERS = st.one_of(st.integers(-20, 20), st.sampled_from((SMALLEST, SMALLEST + 1, BIGGEST - 1, BIGGEST)))


@st.composite
def positions(draw: st.DrawFn) -> Sequence:
    minimum, maximum = sorted((draw(NUMBERS), draw(NUMBERS)))
    within = st.integers(minimum, maximum)
    return Sequence(
        schema_name="main", name="s", start=draw(within), minimum=minimum, maximum=maximum,
        increment=draw(NUMBERS.filter(bool)), cycle=draw(st.booleans()), last_value=draw(st.none() | within),
    )  # fmt: skip


@given(st.data(), positions())
def test_a_sequence_can_be_brought_to_give_any_value_in_its_range(data: st.DataObject, sequence: Sequence) -> None:
    wanted = data.draw(st.integers(sequence.minimum, sequence.maximum))
    assume(sequence.cycle or -(2**63) <= wanted + sequence.increment < 2**63)
    moved = sequence.giving(wanted)
    assert moved.next_value == wanted
    assert moved.minimum <= moved.start <= moved.maximum
    assert moved.model_copy(update={"start": sequence.start, "last_value": sequence.last_value}) == sequence


@given(positions())
def test_a_sequence_without_a_cycle_can_be_brought_to_its_end(sequence: Sequence) -> None:
    assert sequence.model_copy(update={"cycle": False}).giving(None).next_value is None


@given(positions())
def test_what_a_sequence_gives_next_is_in_its_range_or_nothing_unless_it_cycles(sequence: Sequence) -> None:
    following = sequence.next_value
    assert following is None or sequence.minimum <= following <= sequence.maximum
    assert following is not None or not sequence.cycle
    assert sequence.giving(following) == sequence
