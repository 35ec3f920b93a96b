"""The layers of the configuration, durations, and the words for what is wrong in them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.config.load import Loaded, environment_name, flag_name, load, option_names, validated
from duckback.config.options import describe, flat
from duckback.errors import UsageError
from duckback.model.durations import format_duration, parse_duration


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))


def loaded(text: str = "", *, database: str | None = None, **flags: Any) -> Loaded:
    Path("duckback.toml").write_text(text)
    return load(flags, {}, database=Path(database) if database else None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90d", timedelta(days=90)),
        ("24h", timedelta(hours=24)),
        ("30m", timedelta(minutes=30)),
        ("90s", timedelta(seconds=90)),
        ("2w", timedelta(weeks=2)),
        (" 0s ", timedelta(0)),
    ],
)
def test_lengths_of_time_are_read_as_people_write_them(text: str, value: timedelta) -> None:
    assert parse_duration(text) == value


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5h", "90 d", "90d 1h", "soon", "90D"])
def test_other_texts_are_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time such as"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_written_is_read_back(seconds: int) -> None:
    value = timedelta(seconds=seconds)
    assert parse_duration(format_duration(value)) == value


def test_every_option_has_a_flag_a_variable_and_a_meaning_of_its_own() -> None:
    names = option_names()
    assert {"repo", "s3.sse", "retention.keep_within", "state_dir"} <= set(names)
    assert len({flag_name(name) for name in names}) == len(names)
    assert len({environment_name(name) for name in names}) == len(names)
    assert all(describe(name) for name in names)
    assert flag_name("retention.keep_within") == "--keep-within"
    assert environment_name("s3.endpoint_url") == "DUCKBACK_S3_ENDPOINT_URL"


def test_only_the_options_own_variables_count() -> None:
    found = load({}, {"DUCKBACK_THREADS": "3", "THREADS": "9", "duckback_name": "x"})
    assert (found.options.threads, found.options.name) == (3, None)


def test_flag_of_none_is_not_given() -> None:
    assert load({"name": None}, {"DUCKBACK_NAME": "hot"}).options.name == "hot"


def test_memory_limit_follows_the_threads_unless_given() -> None:
    assert load({"threads": "2"}, {}).options.memory_limit == "600MB"
    assert load({"threads": "2", "memory_limit": "1GB"}, {}).options.memory_limit == "1GB"


def test_file_is_looked_for_here_first_then_with_the_user(tmp_path: Path) -> None:
    (tmp_path / "user" / "duckback").mkdir(parents=True)
    (tmp_path / "user" / "duckback" / "duckback.toml").write_text('name = "user"')
    assert load({}, {}).options.name == "user"
    assert loaded('name = "here"').options.name == "here"
    (tmp_path / "third.toml").write_text('name = "third"')
    found = load({}, {}, file=tmp_path / "third.toml")
    assert (found.options.name, found.file) == ("third", tmp_path / "third.toml")


TWO = """
threads = 1
[retention]
keep_within = "30d"
[[database]]
name = "hot"
path = "hot.duckdb"
repo = "hot-repo"
[database.retention]
keep_within = "10d"
[[database]]
name = "cold"
path = "cold.duckdb"
repo = "cold-repo"
"""


def test_database_table_is_chosen_by_path_or_by_name_over_the_shared_options() -> None:
    by_path = loaded(TWO, database=str(Path("hot.duckdb").absolute()))
    assert (by_path.options.repo, by_path.options.name, by_path.options.threads) == ("hot-repo", "hot", 1)
    assert by_path.options.retention.keep_within == timedelta(days=10)
    by_name = loaded(TWO, name="cold")
    assert by_name.options.repo == "cold-repo"
    assert by_name.options.retention.keep_within == timedelta(days=30)


def test_none_of_several_database_tables_is_chosen_unasked() -> None:
    assert loaded(TWO).options.repo is None
    assert loaded(TWO, database="third.duckdb").options.repo is None


def test_the_only_database_table_is_meant_where_no_database_is_named() -> None:
    assert loaded('[[database]]\nname = "hot"\nrepo = "r"\n').options.repo == "r"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tread = 1", "unknown option 'tread'"),
        ("[s3]\nsee = 'none'", "unknown option 's3.see'"),
        ("[[database]]\nrep = 'x'", "unknown option 'rep'"),
        ("database = 1", r"\[\[database\]\] tables"),
        ("threads = 0", r"threads = 0 \(file duckback.toml\)"),
        ("threads = [", "cannot read duckback.toml"),
        ("[s3]\nsse_kms_key_id = 'k'", "sse_kms_key_id needs sse"),
    ],
)
def test_mistakes_in_the_file_are_usage_errors_that_name_it(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        loaded(text)


def test_unknown_key_far_from_any_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as raised:
        loaded("zzzzzz = 1")
    assert "Known are: repo, name" in raised.value.hint
    with pytest.raises(UsageError) as raised:
        loaded("thread = 1")
    assert raised.value.hint == "Did you mean 'threads'?"


def test_file_that_is_not_utf_8_is_a_usage_error() -> None:
    Path("duckback.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(UsageError, match=r"cannot read duckback\.toml"):
        load({}, {})


def test_unknown_option_of_the_api_is_refused() -> None:
    with pytest.raises(UsageError, match="bogus"):
        validated({"bogus": 1})


def test_flat_names_nested_tables_with_dots() -> None:
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == {"a": 1, "b.c": 2, "b.d.e": 3}


def test_tigerbeetle_s_addresses_come_from_a_list_or_a_text() -> None:
    from_file = loaded('[ledger]\ntigerbeetle_addresses = ["127.0.0.1:3000", "[::1]:3001"]\ncluster_id = 7')
    assert from_file.options.ledger.tigerbeetle_addresses == ("127.0.0.1:3000", "[::1]:3001")
    assert from_file.options.ledger.cluster_id == 7
    variable = {"DUCKBACK_TIGERBEETLE_ADDRESSES": "10.0.0.1:3000, 10.0.0.2:3000", "DUCKBACK_LEDGER_NUMBER": "7"}
    from_environment = load({}, variable)
    assert from_environment.options.ledger.tigerbeetle_addresses == ("10.0.0.1:3000", "10.0.0.2:3000")
    assert from_environment.options.ledger.number == 7
    assert from_environment.origins["ledger.number"] == "environment DUCKBACK_LEDGER_NUMBER"


def test_the_ledger_s_options_have_their_defaults_and_no_server() -> None:
    options = loaded().options.ledger
    assert (options.tigerbeetle_addresses, options.cluster_id, options.number) == ((), 0, 1)
    assert options.timeout == timedelta(seconds=5)
    assert options.remote is None
    assert flag_name("ledger.tigerbeetle_addresses") == "--tigerbeetle-addresses"
    assert flag_name("ledger.timeout") == "--ledger-timeout"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("number = 0", "ledger.number"),
        ("number = 4294967296", "ledger.number"),
        ("cluster_id = -1", "ledger.cluster_id"),
        ('timeout = "0s"', "ledger.timeout"),
        ('tigerbeetle_addresses = "localhost:3000"', "'localhost:3000' is not an IP address with a port"),
        ('tigerbeetle_addresses = ["127.0.0.1"]', "is not an IP address with a port"),
        ('tigerbeetle_addresses = ["127.0.0.1:0"]', "is not an IP address with a port"),
        ('tigerbeetle_addresses = ["127.0.0.1:65536"]', "is not an IP address with a port"),
        (f"tigerbeetle_addresses = {['10.0.0.1:1'] * 7}", "at most 6 replicas"),
        ("tigerbeetle_addresses = 3000", "ledger.tigerbeetle_addresses"),
        ("tigerbeetle_adresses = []", "Did you mean 'ledger.tigerbeetle_addresses'"),
    ],
)
def test_what_no_ledger_can_be_reached_with_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(f"[ledger]\n{text}")
    assert words in f"{caught.value.message} {caught.value.hint}"
