"""Timetables: intervals without drift, cron expressions in zones, delays, gaps."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.model.schedule import Failure, Task, plan, retry
from duckback.model.timetable import Cron, Delayed, Every, Timetable, longest_gap

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2028, 7, 1, 12, 34, 56, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
tables = st.one_of(
    st.integers(1, 10**7).map(lambda seconds: Every(timedelta(seconds=seconds))),
    st.sampled_from(["30 2 * * *", "0 */6 * * *", "*/7 * * * *", "0 0 1 * *", "15 3 * * 1-5", "30 1 29 2 *"]).flatmap(
        lambda text: st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]).map(
            lambda zone: Cron(text, ZoneInfo(zone))
        )
    ),
)


@given(tables, moments, st.integers(0, 3_600))
def test_now_lies_between_the_last_moment_and_the_next_and_neither_is_lost(
    table: Timetable, now: datetime, delay: int
) -> None:
    for one in (table, Delayed(table, timedelta(seconds=delay))):
        last, following = one.last(now), one.next(now)
        assert last <= now < following
        assert one.last(last) == last
        assert one.last(following) == following
        assert one.next(last) == following
        assert one.last(following - timedelta(microseconds=1)) == last


def test_six_hours_are_four_moments_of_the_day() -> None:
    assert Every(6 * HOUR).last(NOW) == datetime(2028, 7, 1, 12, tzinfo=UTC)
    assert Every(6 * HOUR).next(NOW) == datetime(2028, 7, 1, 18, tzinfo=UTC)


def test_cron_is_read_in_its_zone() -> None:
    assert Cron("30 2 * * *", BERLIN).last(NOW) == datetime(2028, 7, 1, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "a b c d e", "@daily"])
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cron expression"):
        Cron(text, BERLIN)


def test_the_longest_gap_is_that_of_the_timetables_together() -> None:
    assert longest_gap((Every(24 * HOUR), Every(6 * HOUR)), NOW) == 6 * HOUR
    working_days = Cron("0 8 * * 1-5", BERLIN)
    assert longest_gap((working_days,), NOW) == 73 * HOUR, "over a weekend on which summer time ends"
    assert longest_gap((working_days, Every(48 * HOUR)), NOW) <= 48 * HOUR


def test_delays_are_shares_of_the_spread_that_names_decide() -> None:
    def delays(name: str) -> list[timedelta]:
        tables = {Task.FULL: Every(24 * HOUR), Task.INCREMENTAL: Every(6 * HOUR), Task.VERIFY: Every(MINUTE)}
        return [delayed.delay for delayed in plan(name, tables, HOUR).tasks.values()]

    full, incremental, verify = delays("hot")
    assert full == incremental
    assert timedelta(0) <= verify < MINUTE
    assert delays("hot") == [full, incremental, verify]
    assert len({delays(f"database {number}")[0] for number in range(50)}) > 40
    assert all(delays(f"database {number}")[0] < HOUR for number in range(50))


def test_a_task_without_a_timetable_is_in_no_plan() -> None:
    assert list(plan("hot", {Task.FULL: Every(HOUR), Task.VERIFY: None}, HOUR).tasks) == [Task.FULL]


def test_retries_are_for_failures_since_the_last_success_and_not_of_the_future() -> None:
    failures = tuple(Failure(Task.FULL, NOW + number * HOUR) for number in (-3, -2, -1, 1))
    assert retry(failures, None, 24 * HOUR, NOW) == NOW - HOUR + 4 * MINUTE
    assert retry(failures, NOW - 1.5 * HOUR, 24 * HOUR, NOW) == NOW - HOUR + MINUTE
    assert retry(failures, NOW, 24 * HOUR, NOW) == NOW
    assert retry((Failure(Task.FULL, NOW),) * 99, None, 24 * HOUR, NOW) == NOW + 30 * MINUTE
    assert retry((Failure(Task.FULL, NOW),) * 9, None, MINUTE, NOW) == NOW + MINUTE / 4
