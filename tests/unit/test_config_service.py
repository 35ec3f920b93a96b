"""The options of what runs by itself: schedules, sizes, the daemon, all databases of a file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from duckback.config.load import load, load_all, validated
from duckback.config.plain import plain
from duckback.config.sizes import parse_size
from duckback.errors import UsageError
from duckback.model.schedule import Task

NOW = datetime(2028, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "size"), [("1000", 1000), ("20MB", 20_000_000), ("2 GB", 2 * 10**9), ("512KiB", 1 << 19), (" 1kB ", 1000)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1.5MB", "20mb", "many"])
def test_other_texts_are_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number of bytes"):
        parse_size(text)


def test_a_schedule_has_the_defaults_of_the_specification() -> None:
    tables = validated({}).schedule.timetables
    assert [str(getattr(tables[task], "interval", None)) for task in Task] == [
        "1 day, 0:00:00",
        "6:00:00",
        "1 day, 0:00:00",
        "30 days, 0:00:00",
    ]


def test_the_rpo_follows_from_the_schedule_unless_it_is_given() -> None:
    def rpo(**schedule: str) -> timedelta:
        return validated({"schedule": schedule}).schedule.rpo_at(NOW)

    assert rpo() == 6.5 * HOUR
    assert rpo(rpo="2h") == 2 * HOUR
    assert rpo(incremental="never") == 25 * HOUR
    assert rpo(incremental="90s") == timedelta(seconds=150)
    assert rpo(full="0 2 * * 0", incremental="never", time_zone="Europe/Berlin") >= timedelta(days=7, hours=1)
    assert validated({"schedule": {"verify": "never"}}).schedule.longest(Task.VERIFY, NOW) is None


def test_secrets_of_hooks_survive_a_copy_and_are_in_no_text() -> None:
    options = validated({"hooks": {"ping": "https://host/planted"}})
    assert "planted" not in repr(options) + str(options.model_dump(mode="json"))
    assert validated(options.model_dump()) == options
    assert validated(plain(options)) == options


def test_each_database_has_what_is_at_the_top_and_what_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "duckback.toml"
    file.write_text(
        """
        repo = "/r"
        threads = 3
        [schedule]
        full = "12h"
        [[database]]
        path = "/a.duckdb"
        [[database]]
        path = "/b.duckdb"
        name = "other"
        repo = "/s"
        threads = 1
        [database.schedule]
        incremental = "1h"
        """
    )
    a, b = load_all({}, {"DUCKBACK_NICENESS": "5"}, file=file)
    assert (a.options.name, a.options.repo, a.options.threads, a.database) == ("a", "/r", 3, Path("/a.duckdb"))
    assert (b.options.name, b.options.repo, b.options.threads, b.database) == ("other", "/s", 1, Path("/b.duckdb"))
    assert (b.options.schedule.full, b.options.schedule.incremental) == ("12h", "1h")
    assert {a.options.niceness, b.options.niceness} == {5}
    assert load({"name": "other"}, {}, file=file).options.schedule.incremental == "1h"


def test_a_name_for_all_databases_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "duckback.toml"
    file.write_text('repo = "/r"\n[[database]]\npath = "/a"\n[[database]]\npath = "/b"')
    with pytest.raises(UsageError, match="two databases are called 'x' in /r"):
        load_all({"name": "x"}, {}, file=file)


@pytest.mark.parametrize(
    ("listen", "address"), [("127.0.0.1:9817", ("127.0.0.1", 9817)), ("[::1]:0", ("::1", 0)), ("off", None)]
)
def test_an_address_to_listen_on(listen: str, address: tuple[str, int] | None) -> None:
    assert validated({"daemon": {"listen": listen}}).daemon.address == address


@pytest.mark.parametrize("listen", ["localhost:1", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:x", ""])
def test_what_is_none_is_refused(listen: str) -> None:
    with pytest.raises(UsageError, match=r"daemon\.listen"):
        validated({"daemon": {"listen": listen}})
