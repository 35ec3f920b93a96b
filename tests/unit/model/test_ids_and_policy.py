"""Ids name their own moment; local copies go when that moment is too long ago."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.model.ids import new_id, time_of
from duckback.model.policy import past_their_time

NOW = datetime(2026, 3, 7, 12, 0, 0, 123_000, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_an_id_is_a_uuid_of_version_7_and_names_its_millisecond(moment: datetime) -> None:
    made = new_id(moment)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert abs(time_of(made) - moment) <= timedelta(milliseconds=1)


@given(MOMENTS, st.integers(2, 10**9))
def test_ids_sort_by_their_moments(moment: datetime, later: int) -> None:
    assert str(new_id(moment)) < str(new_id(moment + timedelta(milliseconds=later)))


def test_ids_of_one_moment_differ() -> None:
    assert len({new_id(NOW) for _ in range(100)}) == 100


def test_the_zone_of_the_moment_does_not_matter() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert time_of(new_id(tokyo)) == time_of(new_id(NOW)) == NOW


def test_an_id_of_another_version_names_no_moment() -> None:
    with pytest.raises(ValueError, match="not a UUIDv7"):
        time_of(uuid4())


def test_copies_older_than_their_time_are_past_it_and_no_others() -> None:
    ages = [timedelta(days=8), timedelta(days=7, milliseconds=1), timedelta(days=7), timedelta(0), -timedelta(days=1)]
    ids = [new_id(NOW - age) for age in ages]
    assert past_their_time(ids, keep=timedelta(days=7), now=NOW) == ids[:2]
    assert past_their_time([], keep=timedelta(0), now=NOW) == []
