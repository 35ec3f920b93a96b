"""Wrong repositories, names, options: each its exit code, and words that help."""

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pytest
from support.place import Place

from duckback.cli.app import run


@pytest.mark.parametrize("verb", [["list"], ["show"], ["verify"], ["restore", "x.duckdb"]], ids=lambda verb: verb[0])
def test_no_repository_tells_what_folders_are_there(full: Place, verb: list[str]) -> None:
    full.run(verb[0], *verb[1:], repo=full.root).failed(10, "there is no repository at", "repo", "state")
    full.run(verb[0], *verb[1:], repo=full.root / "nowhere").failed(10, "nothing at all")


def test_reading_makes_no_repository(full: Place) -> None:
    full.run("list", repo=full.root / "nowhere").failed(10)
    assert not (full.root / "nowhere").exists()


@pytest.mark.parametrize("verb", [["list"], ["show"], ["verify"], ["restore", "x.duckdb"]], ids=lambda verb: verb[0])
def test_unknown_name_lists_the_names_that_are_there(full: Place, verb: list[str]) -> None:
    full.run(*verb, "--name", "smal").failed(12, "no database 'smal'", "Databases that are there: small.")


@pytest.mark.parametrize("verb", [["show"], ["verify"], ["restore", "x.duckdb", "--backup"]], ids=lambda verb: verb[0])
@pytest.mark.parametrize("wanted", ["ffff", "01927f3e-0000-7000-8000-000000000000", "../x", "*"])
def test_unknown_backup_is_exit_12(full: Place, verb: list[str], wanted: str) -> None:
    full.run(*verb, wanted).failed(12, wanted, "duckback list")


def test_beginning_that_two_ids_share_is_exit_12(full: Place) -> None:
    full.run("backup", full.database).worked()
    full.run("show", "0").failed(12, "more than one backup begins with '0'")


@pytest.mark.parametrize("verb", [["show"], ["verify"], ["restore", "x.duckdb"]], ids=lambda verb: verb[0])
def test_several_databases_without_a_name_are_a_usage_error(full: Place, verb: list[str]) -> None:
    full.run("backup", full.database, "--name", "other").worked()
    full.run(*verb).failed(2, "several databases", "other, small")


def test_repository_without_backups_is_exit_12_at_restore(full: Place) -> None:
    full.manifests()[0].unlink()
    full.run("restore", full.target).failed(12, "there is no backup in")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://host/x", "no store is known"),
        ("s3://", "names no bucket"),
        ("s3://key:secret@bucket/x", "must not hold credentials"),
        ("", "no store is known"),
    ],
)
def test_address_that_is_none_is_a_usage_error_without_secrets(place: Place, address: str, words: str) -> None:
    with redirect_stderr(StringIO()) as err:
        assert run(["list", f"--repo={address}", "--state-dir", str(place.state)]) == 2
    assert words in err.getvalue()
    assert "secret" not in err.getvalue()


def test_a_file_is_no_repository(full: Place) -> None:
    ran = full.run("backup", full.database, repo=full.database)
    ran.failed(40, str(full.database))
    full.run("restore", full.target).worked()


@pytest.mark.parametrize("content", ["{}", "not json", '{"format": "1", "repository_id": "x", "created_at": 1}'])
def test_damaged_descriptor_is_exit_20(full: Place, content: str) -> None:
    (full.repo / "repository.json").write_text(content)
    full.run("list").failed(20, "repository.json", "damaged")
    full.run("backup", full.database).failed(20)


def test_repository_of_another_format_says_which(full: Place) -> None:
    path = full.repo / "repository.json"
    path.write_text(path.read_text().replace('"format":"1"', '"format":"7"'))
    full.run("list").failed(20, "has format '7'", "reads '1'")


@pytest.mark.parametrize(
    "line",
    [["frob"], ["list", "--bogus"], ["backup"], ["verify", "--level", "deep"], ["list", "extra"], ["restore"]],
    ids=" ".join,
)
def test_wrong_use_is_exit_2_with_a_hint_and_no_traceback(place: Place, line: list[str]) -> None:
    place.run(*line).failed(2, "duckback --help")


def test_no_verb_shows_the_help_and_is_exit_2(place: Place) -> None:
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        assert run([]) == 2
    assert "no verb is given" in err.getvalue()
    assert "restore" in out.getvalue()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--threads", "0", "threads = '0' (flag)"),
        ("--threads", "many", "threads = 'many' (flag)"),
        ("--keep-within", "soon", "'soon' is not a length of time such as 90d"),
        ("--s3-sse", "rot13", "s3.sse = 'rot13' (flag)"),
        ("--s3-endpoint-url", "localhost:80", "http://"),
    ],
)
def test_bad_value_names_option_value_and_origin(full: Place, option: str, value: str, words: str) -> None:
    with redirect_stderr(StringIO()) as err:
        assert run(["list", "--repo", str(full.repo), option, value]) == 2
    assert words in err.getvalue()


def test_bad_memory_limit_is_told(full: Place) -> None:
    full.run("backup", full.database, "--memory-limit", "lots").failed(2, "--memory-limit")


def test_missing_configuration_file_is_a_usage_error(full: Place) -> None:
    full.run("list", "--config", full.root / "none.toml").failed(2, "none.toml")


def test_error_json_is_on_stdout_with_the_same_words_on_stderr(full: Place) -> None:
    ran = full.spawn("restore", full.target, "--name", "none", "--json")
    assert ran.code == 12
    assert list(ran.json) == ["schema", "error", "message", "hint", "exit_code"]
    assert ran.json["schema"] == "duckback.error/1"
    assert (ran.json["error"], ran.json["exit_code"]) == ("NoSuchBackup", 12)
    assert ran.json["message"] in ran.err
    assert ran.json["hint"] in ran.err


def test_unwritable_state_directory_is_a_ledger_error(full: Place) -> None:
    (full.root / "file").touch()
    full.state = full.root / "file"
    full.run("list").failed(50, "ledger")
