"""What cannot be created again: its text is kept, its file says so, and nothing else is lost by it."""

import re
from pathlib import Path

import duckdb
import pytest
from support.place import Place, Ran, small_database
from support.snapshots import rows

BROKEN = (
    "CREATE TABLE kept AS SELECT i FROM range(5) r(i)",
    "CREATE TABLE gone (x INTEGER)",
    "CREATE VIEW broken AS SELECT x FROM gone",
    "COMMENT ON VIEW broken IS 'of; one -- that /* is gone'",
    "COMMENT ON COLUMN broken.x IS 'it''s'",
    "DROP TABLE gone",
)


def backed_up(place: Place, *statements: str) -> Ran:
    return place.run("backup", small_database(place.root / "a.duckdb", ";".join(statements))).worked()


def deferred_sql(place: Place) -> Path:
    return place.target.with_name(f"{place.target.name}.deferred.sql")


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("id,name\n1,Ann\n2,Bob\n")
    return path


def reading(csv: Path) -> tuple[str, ...]:
    return (
        "CREATE TABLE kept AS SELECT 7 AS i",
        f"CREATE VIEW people AS SELECT * FROM read_csv('{csv}')",
        "COMMENT ON VIEW people IS 'of a file'",
        f"CREATE MACRO first_people(n) AS TABLE SELECT name FROM read_csv('{csv}') ORDER BY id LIMIT n",
        "COMMENT ON MACRO TABLE first_people IS 'of a file too'",
        f"CREATE MACRO whole_file() AS (SELECT content FROM read_text('{csv}'))",
    )


def test_a_broken_view_is_told_of_at_the_backup_and_fails_in_part_at_the_restore(place: Place) -> None:
    assert "view main.broken could not be created on an empty database" in backed_up(place, *BROKEN).err
    place.run("restore", place.target).failed(3, "view main.broken could not be created", str(deferred_sql(place)))
    assert rows(place.target, "FROM kept ORDER BY i") == [(i,) for i in range(5)]
    assert rows(place.target, "SELECT view_name FROM duckdb_views() WHERE NOT internal") == []


def test_the_deferred_text_makes_the_view_with_its_comments_once_its_table_is_there(place: Place) -> None:
    backed_up(place, *BROKEN)
    place.run("restore", place.target).failed(3)
    with duckdb.connect(place.target) as con:
        con.execute("CREATE TABLE gone AS SELECT 42 AS x")
        con.execute(deferred_sql(place).read_text())
        assert rows(con, "FROM broken") == [(42,)]
        comment = "SELECT v.comment, c.comment FROM duckdb_views() v JOIN duckdb_columns() c ON view_oid = table_oid"
        assert rows(con, f"{comment} WHERE view_name = 'broken'") == [("of; one -- that /* is gone", "it's")]


def test_objects_that_read_files_are_deferred_without_being_a_failure(place: Place, csv: Path) -> None:
    told = backed_up(place, *reading(csv)).err
    names = ("view main.people", "macro main.first_people", "macro main.whole_file")
    for name in names:
        assert f"{name} could not be created on an empty database (it reads files or the network)" in told
    ran = place.run("restore", place.target).worked()
    text = deferred_sql(place).read_text()
    for name in names:
        assert f"{name} reads files or the network; its text is in {deferred_sql(place)}" in ran.err
        assert f"-- {name}: Permission Error" in text
    assert "COMMENT ON VIEW" in text
    assert "COMMENT ON MACRO TABLE" in text
    assert rows(place.target, "FROM kept") == [(7,)]


def test_trusted_definitions_are_created_with_their_comments_and_leave_no_text(place: Place, csv: Path) -> None:
    backed_up(place, *reading(csv))
    ran = place.run("restore", place.target, "--trust-ddl", "--json").worked()
    assert (ran.json["deferred"], ran.err) == ([], "")
    assert not deferred_sql(place).exists()
    assert rows(place.target, "FROM people ORDER BY id") == [(1, "Ann"), (2, "Bob")]
    assert rows(place.target, "FROM first_people(1)") == [("Ann",)]
    assert rows(place.target, "SELECT whole_file()") == [(csv.read_text(),)]
    assert rows(place.target, "SELECT comment FROM duckdb_views() WHERE view_name = 'people'") == [("of a file",)]
    comment = "SELECT comment FROM duckdb_functions() WHERE function_name = 'first_people'"
    assert rows(place.target, comment) == [("of a file too",)]


def test_a_trusted_definition_whose_file_is_gone_stays_deferred(place: Place, csv: Path) -> None:
    backed_up(place, *reading(csv))
    csv.unlink()
    place.run("restore", place.target, "--trust-ddl").failed(3, "view main.people could not be created", str(csv))
    assert rows(place.target, "FROM kept") == [(7,)]
    csv.write_text("id,name\n3,Cid\n")
    with duckdb.connect(place.target) as con:
        con.execute(deferred_sql(place).read_text())
        assert rows(con, "FROM people") == [(3, "Cid")]


@pytest.mark.parametrize("name", ["all_names", "zz_names"])
def test_a_view_on_a_deferred_view_is_deferred_too_and_created_where_that_one_is(
    place: Place, csv: Path, name: str
) -> None:
    backed_up(place, *reading(csv), f"CREATE VIEW {name} AS SELECT name FROM people")
    deferred = place.run("restore", place.target, "--json").worked().json["deferred"]
    assert {"main.people", f"main.{name}"} <= {item["label"] for item in deferred}
    assert rows(place.target, "FROM kept") == [(7,)]
    place.run("restore", place.target, "--trust-ddl", "--force").worked()
    assert rows(place.target, f"FROM {name} ORDER BY ALL") == [("Ann",), ("Bob",)]
    assert not deferred_sql(place).exists()


def test_the_deferred_text_runs_from_top_to_bottom(place: Place, csv: Path) -> None:
    backed_up(place, *reading(csv), "CREATE VIEW all_names AS SELECT name FROM people")
    place.run("restore", place.target)
    with duckdb.connect(place.target) as con:
        con.execute(deferred_sql(place).read_text())
        assert rows(con, "FROM all_names ORDER BY ALL") == [("Ann",), ("Bob",)]


@pytest.mark.parametrize(("name", "option"), [("x", "--trust-ddl"), ("go", "--json")])
def test_a_broken_view_is_a_failure_though_its_text_has_the_name_of_one_that_reads_files(
    place: Place, csv: Path, name: str, option: str
) -> None:
    backed_up(place, *BROKEN, f"CREATE VIEW {name} AS FROM read_csv('{csv}')")
    place.run("restore", place.target, option).failed(3, "view main.broken could not be created", "gone")
    assert "CREATE VIEW broken" in deferred_sql(place).read_text()
    assert ("read_csv" in deferred_sql(place).read_text()) == (option != "--trust-ddl")


def test_a_clean_restore_removes_the_text_that_an_earlier_one_left(place: Place) -> None:
    backed_up(place, *BROKEN)
    place.run("restore", place.target).failed(3)
    assert deferred_sql(place).exists()
    place.run("restore", place.target, "--force", "--exclude", "broken").worked()
    assert not deferred_sql(place).exists()


def test_json_holds_what_was_deferred_and_why(place: Place) -> None:
    backed_up(place, *BROKEN)
    (item,) = place.run("restore", place.target, "--json").json["deferred"]
    assert item.keys() == {"kind", "label", "statements", "reason", "is_external"}
    assert (item["kind"], item["label"], item["is_external"]) == ("view", "main.broken", False)
    assert [statement.split()[0] for statement in item["statements"]] == ["CREATE", "COMMENT", "COMMENT"]
    assert "gone" in item["reason"]


def test_the_text_is_for_its_owner_alone_even_where_another_file_had_its_name(place: Place) -> None:
    backed_up(place, *BROKEN)
    deferred_sql(place).write_text("of somebody else")
    deferred_sql(place).chmod(0o666)
    place.run("restore", place.target).failed(3)
    assert deferred_sql(place).stat().st_mode & 0o777 == 0o600
    assert "somebody" not in deferred_sql(place).read_text()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\x0c", "\x85", "\u2028"])
def test_no_name_makes_sql_of_a_comment_line(place: Place, line_end: str) -> None:
    names = [f"v{line_end}DROP TABLE kept; --", "*/ DROP TABLE kept; /*", "--; DROP TABLE kept;"]
    makes_gone = [f'CREATE TABLE "gone {name}" (x INTEGER)' for name in names]
    views = [f'CREATE VIEW "{name}" AS SELECT x FROM "gone {name}"' for name in names]
    drops = [f'DROP TABLE "gone {name}"' for name in names]
    backed_up(place, "CREATE TABLE kept AS SELECT 7 AS i", *makes_gone, *views, *drops)
    place.run("restore", place.target).failed(3)
    text = deferred_sql(place).read_bytes().decode()
    comments = re.findall("^-- view .*\n", text, re.MULTILINE)
    assert [duckdb.extract_statements(line) for line in comments] == [[]] * len(names)
    kinds = [statement.type for statement in duckdb.extract_statements(text)]
    assert kinds == [duckdb.StatementType.CREATE] * len(names)


def test_a_backup_with_deferred_objects_verifies_and_restores_again(place: Place) -> None:
    backed_up(place, *BROKEN)
    place.run("restore", place.target).failed(3)
    place.run("verify").worked()
    place.run("restore", place.target, "--force").failed(3, "main.broken")
    assert rows(place.target, "SELECT count(*) FROM kept") == [(5,)]


def test_defaults_of_macros_that_call_macros_and_name_types_give_what_they_gave(place: Place) -> None:
    backed_up(
        place,
        "CREATE SCHEMA s",
        "CREATE TYPE s.mood AS ENUM ('sad', 'it''s')",
        "CREATE MACRO s.twice(a) AS a * 2",
        "CREATE MACRO m(a, b := s.twice(21), c := 'it''s'::s.mood, d := {'k': [1, NULL]}) AS a || b || c || d",
        "CREATE MACRO today(a := current_date) AS a = current_date",
        "CREATE MACRO up_to(n := s.twice(2)) AS TABLE SELECT i FROM range(n) r(i)",
    )
    place.run("restore", place.target).worked()
    before = place.root / "a.duckdb"
    for query in ("SELECT m(1)", "SELECT m(1, c := 'sad')", "SELECT today()", "FROM up_to()", "FROM up_to(1)"):
        assert rows(place.target, query) == rows(before, query)
    assert rows(place.target, "SELECT m(1), today()") == [("142it's{'k': [1, NULL]}", True)]
