"""duckback config show: every option, its value, and where the value comes from."""

import json
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from support.place import Place

from duckback.cli.app import run
from duckback.config.load import environment_name, option_names


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in option_names():
        monkeypatch.delenv(environment_name(name), raising=False)


def shown(*flags: str) -> dict[str, Any]:
    with redirect_stdout(StringIO()) as out:
        assert run(["config", "show", "--json", *flags]) == 0
    document = json.loads(out.getvalue())
    assert document["schema"] == "duckback.config/1"
    options: dict[str, Any] = document["options"]
    return options


def complaint(*arguments: str) -> str:
    with redirect_stderr(StringIO()) as err:
        assert run(list(arguments)) == 2
    return err.getvalue()


def test_every_option_is_there_with_its_default() -> None:
    options = shown()
    assert list(options) == option_names()
    assert {one["origin"] for one in options.values()} == {"default"}
    assert options["retention.keep_within"]["value"] == "90d"
    assert options["s3.sse"]["value"] == "AES256"


def test_flag_over_environment_over_file_over_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "duckback.toml").write_text('repo = "file"\nthreads = 3\n[s3]\nregion = "file"\nsse = "none"\n')
    monkeypatch.setenv("DUCKBACK_REPO", "environment")
    monkeypatch.setenv("DUCKBACK_S3_REGION", "environment")
    options = shown("--repo", "flag")
    assert options["repo"] == {"value": "flag", "origin": "flag"}
    assert options["s3.region"] == {"value": "environment", "origin": "environment DUCKBACK_S3_REGION"}
    assert options["s3.sse"] == {"value": "none", "origin": "file duckback.toml"}
    assert options["threads"] == {"value": 3, "origin": "file duckback.toml"}
    assert options["s3.profile"] == {"value": None, "origin": "default"}


def test_piped_it_is_one_line_an_option_named_as_its_flag(tmp_path: Path) -> None:
    with redirect_stdout(StringIO()) as out:
        assert run(["config", "show", "--keep-within", "2w"]) == 0
    lines = [line.split("\t") for line in out.getvalue().splitlines()]
    assert len(lines) == len(option_names())
    assert ["--keep-within", "14d", "flag"] in lines


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "duckback.toml").write_text('[retention]\nkeep_witin = "90d"\n')
    err = complaint("config", "show")
    assert "duckback.toml: unknown option 'retention.keep_witin'" in err
    assert "Did you mean 'retention.keep_within'?" in err


def test_bad_value_names_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "duckback.toml").write_text("threads = 0\n")
    assert "threads = 0 (file duckback.toml)" in complaint("config", "show")
    monkeypatch.setenv("DUCKBACK_THREADS", "many")
    assert "threads = 'many' (environment DUCKBACK_THREADS)" in complaint("config", "show")
    assert "threads = '-1' (flag)" in complaint("config", "show", "--threads=-1")


def test_broken_file_is_a_usage_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("repo = [")
    err = complaint("config", "show", "--config", "other.toml")
    assert "cannot read other.toml" in err


def test_database_table_serves_the_backup_of_its_path(place: Place) -> None:
    Path("duckback.toml").write_text(
        f'state_dir = "{place.state}"\n[[database]]\nname = "hot"\npath = "{place.database}"\nrepo = "{place.repo}"\n'
        '[[database]]\nname = "cold"\npath = "cold.duckdb"\nrepo = "elsewhere"\n'
    )
    with redirect_stdout(StringIO()):
        assert run(["backup", str(place.database)]) == 0
        assert run(["list", "--name", "hot"]) == 0
    assert place.run("list", "--json").worked().json["backups"][0]["name"] == "hot"
