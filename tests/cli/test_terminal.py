"""On a terminal: tables and progress bars; anywhere else neither."""

import subprocess

import pytest
from support.place import EXECUTABLE, Place
from support.terminal import run_on_terminal

HELP = ["", "backup", "list", "show", "restore", "verify", "demo", "config", "config show"]


def test_list_is_a_table_with_headings_on_a_terminal(full: Place) -> None:
    code, shown = run_on_terminal(full.command("list"), full.root)
    assert code == 0
    for heading in ("backup", "name", "scope", "snapshot (UTC)", "age", "rows", "size", "added", "state"):
        assert heading in shown
    assert full.backup_ids()[0] in shown
    assert "\x1b[" in shown
    assert "\t" not in shown


def test_list_shows_at_a_glance_what_is_proven_and_what_is_damaged(full: Place) -> None:
    full.run("verify").worked()
    _, shown = run_on_terminal(full.command("list"), full.root)
    assert "\x1b[32m" in shown
    full.objects()[0].unlink()
    full.run("verify").failed(20)
    _, shown = run_on_terminal(full.command("list"), full.root)
    assert "\x1b[1;31m" in shown
    assert "\x1b[" not in full.spawn("list").worked().out


def test_show_escapes_what_looks_like_markup(full: Place) -> None:
    full.run("backup", full.database, "--name", "[red]x[/red]").worked()
    code, shown = run_on_terminal(full.command("list"), full.root)
    assert code == 0
    assert "[red]x[/red]" in shown


@pytest.mark.parametrize(("verb", "step"), [("backup", "export-duckdb-to-parquet"), ("restore", "fetch-objects")])
def test_progress_bars_with_amount_rate_and_time_left_are_drawn_and_removed(full: Place, verb: str, step: str) -> None:
    argument = full.database if verb == "backup" else full.target
    code, shown = run_on_terminal(full.command(verb, argument), full.root)
    assert code == 0
    assert step in shown
    assert "━" in shown
    assert " of " in shown
    assert "/s" in shown
    # The cursor comes back, and the last thing on the screen is the answer.
    assert shown.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in shown
    assert ("backed up small" if verb == "backup" else "every table proven") in shown


def test_json_on_a_terminal_is_still_one_document(full: Place) -> None:
    code, shown = run_on_terminal(full.command("list", "--json"), full.root)
    assert code == 0
    assert shown.startswith("{")
    assert "\x1b" not in shown


def test_piped_there_are_no_bars(full: Place) -> None:
    ran = full.spawn("backup", full.database).worked()
    assert ran.err == ""


@pytest.mark.parametrize("verb", HELP)
def test_every_verb_explains_itself(verb: str) -> None:
    ran = subprocess.run([EXECUTABLE, *verb.split(), "--help"], capture_output=True, text=True, check=True)
    assert f"Usage: duckback {verb}".strip() in ran.stdout
    assert "--help" in ran.stdout
    assert ran.stderr == ""
