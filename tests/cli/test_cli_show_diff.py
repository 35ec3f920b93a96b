"""duckback show --diff: exactly what changed in the rows, from the manifests where they tell it, else from the objects."""

import duckdb
from support.place import Place


def _changes(place: Place, now: str, before: str) -> dict[str, tuple[object, ...]]:
    answer = place.run("show", now, "--diff", before, "--json").worked().json
    assert (answer["schema"], answer["id"], answer["before"]) == ("duckback.show-diff/1", now, before)
    return {
        one["table"]: (one["before"], one["now"], one["added"], one["removed"], one["known_by"])
        for one in answer["tables"]
    }


def test_a_backup_and_its_parent_are_compared_by_their_manifests(history: Place) -> None:
    first, second, _ = history.backup_ids()
    for path in history.objects():
        path.unlink()
    forward = {
        "main.people": (50, 50, 0, 0, "manifests"),
        "main.visits": (400, 400, 2, 2, "manifests"),
    }
    assert _changes(history, second, first) == forward
    assert _changes(history, first, second) == forward
    assert _changes(history, first, first)["main.visits"] == (400, 400, 0, 0, "manifests")
    assert history.run("show", second, "--diff", first).out.splitlines()[1] == "main.visits\t400\t400\t2\t2\tmanifests"


def test_others_are_compared_by_their_objects_and_what_cancels_is_no_change(history: Place) -> None:
    first, _, _ = history.backup_ids()
    with duckdb.connect(history.database) as con:
        # The visit that each change removed comes back, twice; so does what was changed.
        con.execute("DELETE FROM visits WHERE note = 'changed'")
        con.execute("INSERT INTO visits SELECT 0, TIMESTAMP '2026-11-20', 'visit 0' FROM range(3)")
        con.execute("DROP VIEW visitors; DROP TABLE IF EXISTS gone; CREATE TABLE fresh AS SELECT 1 AS i FROM range(4)")
    history.run("backup", history.database).worked()
    *_, last = history.backup_ids()
    with duckdb.connect() as con:
        counted = {}
        for side, backup in (("a", first), ("b", last)):
            script = history.run("sql-script", "--backup", backup).worked().out
            con.execute(script)
            con.execute(f"CREATE TABLE memory.main.{side} AS FROM visits; USE memory; DETACH small")
        for name, pair in (("added", "FROM b EXCEPT ALL FROM a"), ("removed", "FROM a EXCEPT ALL FROM b")):
            counted[name] = con.execute(f"SELECT count(*) FROM ({pair})").fetchall()[0][0]
        rows = {side: con.execute(f"SELECT count(*) FROM {side}").fetchall()[0][0] for side in "ab"}
    assert counted["added"] > 0
    assert counted["removed"] > 0
    assert _changes(history, last, first) == {
        "main.fresh": (None, 4, 4, 0, "manifests"),
        "main.people": (50, 50, 0, 0, "manifests"),
        "main.visits": (rows["a"], rows["b"], counted["added"], counted["removed"], "objects"),
    }
    assert history.staged() == []


def test_what_cannot_be_compared_is_said_to_be_unknown(history: Place) -> None:
    *_, before = history.backup_ids()
    with duckdb.connect(history.database) as con:
        con.execute("DROP VIEW visitors")
        con.execute("DROP INDEX visits_at; ALTER TABLE visits ADD COLUMN more INTEGER")
    history.run("backup", history.database).worked()
    *_, now = history.backup_ids()
    assert _changes(history, now, before)["main.visits"] == (400, 400, None, None, None)
    assert "not known: its columns are not the same" in history.run("show", now, "--diff", before).out
    history.run("show", now, "--diff", "0000").failed(12, "begins with")


def test_a_damaged_object_is_no_answer(history: Place) -> None:
    first, _, last = history.backup_ids()
    path = next(one for one in history.objects() if ".added." in one.name)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    history.run("show", last, "--diff", first).failed(20, path.name)
