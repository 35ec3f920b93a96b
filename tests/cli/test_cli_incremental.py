"""`backup` and `show` of incrementals, as people and scripts see them."""

from support.place import Place


def test_the_second_backup_is_an_incremental_that_tells_its_parent(full: Place) -> None:
    (first,) = full.backup_ids()
    full.change()
    answer = full.run("backup", full.database, "--json").worked().json
    assert (answer["scope"], answer["parent"], answer["promoted"]) == ("incremental", first, [])
    assert (answer["rows"], answer["objects_added"]) == (450, 2)
    listed = full.run("list", "--json").worked().json["backups"]
    assert [(one["scope"], one["parent"]) for one in listed] == [("full", None), ("incremental", first)]
    assert listed[1]["size_bytes"] == listed[0]["size_bytes"] + listed[1]["bytes_added"]
    full.run("restore", full.target).worked()
    assert full.restored_is_equal()


def test_show_tells_per_table_what_was_added_and_removed_and_how(full: Place) -> None:
    full.change()
    full.run("backup", full.database).worked()
    rows = {
        line.split("\t")[0]: line.split("\t") for line in full.run("show").worked().out.splitlines() if "\t" in line
    }
    assert rows["main.visits"][1:5] == ["400", "2", "2", "3"]
    assert rows["main.visits"][7:] == ["changed", ""]
    assert rows["main.people"][1:5] == ["50", "0", "0", "1"]
    assert rows["main.people"][6:] == ["0 bytes", "unchanged", ""]
    table = full.run("show", "--json").worked().json["manifest"]["tables"][1]
    assert (table["name"], table["method"], table["rows_added"], table["rows_removed"]) == ("visits", "changed", 2, 2)


def test_a_table_that_is_written_whole_is_named_with_the_reason(full: Place) -> None:
    next(path for path in full.objects() if ".visits." in path.name).unlink()
    done = full.run("backup", full.database).worked()
    assert "main.visits was written whole: " in done.out
    assert "missing" in done.out
    shown = full.run("show").worked().out
    assert "\tfull\tsmall/duckdb/full/" in shown
    promoted = full.run("backup", full.database, "--json").worked().json["promoted"]
    assert promoted == []


def test_full_on_request_writes_every_row(full: Place) -> None:
    answer = full.run("backup", full.database, "--full", "--json").worked().json
    assert (answer["scope"], answer["parent"], answer["objects_added"]) == ("full", None, 2)


def test_an_incremental_without_a_backup_is_refused_with_what_to_do(place: Place) -> None:
    place.run("backup", place.database, "--incremental").failed(12, "there is no backup of 'small'", "--full")


def test_both_scopes_at_once_are_refused(full: Place) -> None:
    full.run("backup", full.database, "--full", "--incremental").failed(2, "--full and --incremental were both given")


def test_a_share_that_is_none_is_refused(full: Place) -> None:
    full.run("backup", full.database, "--rewrite-share", "0").failed(2, "rewrite_share")


def test_a_table_is_written_whole_again_from_the_share_that_is_given(full: Place) -> None:
    full.change()
    done = full.run("backup", full.database, "--rewrite-share", "0.001").worked()
    assert "main.visits was written whole: added and removed rows, 4 of them" in done.out
