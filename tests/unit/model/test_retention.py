"""Retention: what stays, what goes, and why; ordered by the moment that a backup shows, never by its name."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.errors import UsageError
from duckback.model.ids import new_id
from duckback.model.policy import Candidate, Decision, Policy, decide, freed
from duckback.model.summary import Summary

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def a_policy(**fields: object) -> Policy:
    given: dict[str, object] = {
        "within": 90 * DAY, "last": 0, "per_period": {}, "grace": DAY, "zone": UTC,
    }  # fmt: skip
    return Policy(**{**given, **fields})  # type: ignore[arg-type]  # a test's words


def a_backup(
    age: timedelta,
    *,
    scope: str = "full",
    pin: str | None = None,
    written: timedelta | None = None,
    locked: timedelta | None = None,
    objects: Iterable[tuple[str, int]] = (),
    backup_id: UUID | None = None,
) -> Candidate:
    moment = NOW - age
    summary = Summary.model_validate(
        {
            "backup_id": backup_id or new_id(moment),
            "database": "hot",
            "scope": scope,
            "parent_id": None,
            "started_at": moment,
            "snapshot_at": moment,
            "retention_until": moment + 90 * DAY,
            "rows": 0,
            "size_bytes": 0,
            "bytes_added": 0,
            "manifest_sha256": "ab" * 32,
            "objects": tuple(objects),
            "locked_until": NOW + locked if locked is not None else None,
        }
    )
    return Candidate(summary=summary, written_at=NOW - (written or age), pin=pin)


def kept(decisions: Iterable[Decision]) -> list[timedelta]:
    return [NOW - one.summary.snapshot_at for one in decisions if one.is_kept]


def reasons(decisions: Iterable[Decision], age: timedelta) -> tuple[str, ...]:
    return next(one.reasons for one in decisions if NOW - one.summary.snapshot_at == age)


def test_what_is_younger_than_90_days_stays_and_what_is_older_goes() -> None:
    found = decide([a_backup(n * DAY) for n in (1, 89, 90, 91)], a_policy(), NOW)
    assert kept(found) == [89 * DAY, DAY]
    assert reasons(found, 91 * DAY) == ("older than 90d, and no rule keeps it",)
    assert reasons(found, 89 * DAY) == ("younger than 90d",)


def test_an_expired_full_goes_from_under_its_increments_which_need_it_no_more() -> None:
    full, child = a_backup(91 * DAY), a_backup(89 * DAY, scope="incremental")
    found = decide([full, child, a_backup(DAY)], a_policy(), NOW)
    assert kept(found) == [89 * DAY, DAY]


def test_the_last_full_stays_however_old_it_is() -> None:
    backups = [a_backup(200 * DAY), a_backup(100 * DAY), *(a_backup(n * DAY, scope="incremental") for n in (2, 1))]
    found = decide(backups, a_policy(), NOW)
    assert kept(found) == [100 * DAY, 2 * DAY, DAY]
    assert reasons(found, 100 * DAY) == ("the last full backup",)


def test_the_newest_stays_though_the_policy_keeps_only_an_older_one() -> None:
    policy = a_policy(within=timedelta(0), per_period={"yearly": 1}, grace=timedelta(0))
    found = decide([a_backup(3 * DAY), a_backup(DAY)], policy, NOW)
    assert reasons(found, DAY) == ("yearly: the newest of 2026", "the newest backup", "the last full backup")


def test_the_order_is_that_of_the_recorded_moments_and_not_of_the_ids() -> None:
    late_id, early_id = new_id(NOW), new_id(NOW - 300 * DAY)
    found = decide(
        [a_backup(50 * DAY, backup_id=late_id), a_backup(DAY, backup_id=early_id)],
        a_policy(within=timedelta(0), last=1, grace=timedelta(0)),
        NOW,
    )
    assert [one.summary.backup_id for one in found if one.is_kept] == [early_id]


def test_nothing_younger_than_the_grace_period_goes_by_whichever_clock() -> None:
    policy = a_policy(within=timedelta(0), last=1)
    backups = [a_backup(23 * HOUR), a_backup(100 * DAY, written=2 * HOUR), a_backup(30 * HOUR), a_backup(HOUR)]
    found = decide(backups, policy, NOW)
    assert kept(found) == [100 * DAY, 23 * HOUR, HOUR]
    assert reasons(found, 100 * DAY) == ("within the grace period of 1d",)


def test_a_pin_keeps_and_its_reason_is_told() -> None:
    found = decide([a_backup(400 * DAY, pin="the audit of 2025"), a_backup(DAY)], a_policy(), NOW)
    assert reasons(found, 400 * DAY) == ("pinned: the audit of 2025",)


def test_what_the_store_holds_by_an_object_lock_stays_until_that_is_over() -> None:
    held, over = a_backup(91 * DAY, locked=DAY), a_backup(92 * DAY, locked=-DAY)
    found = decide([held, over, a_backup(DAY)], a_policy(), NOW)
    assert kept(found) == [91 * DAY, DAY]
    assert reasons(found, 91 * DAY) == ("locked in the store until 2026-11-26 12:00:00+00:00",)


def test_of_each_period_that_has_backups_the_newest_stays() -> None:
    backups = [a_backup(n * 6 * HOUR) for n in range(4 * 60)]
    policy = a_policy(within=timedelta(0), per_period={"daily": 3, "monthly": 2}, grace=timedelta(0))
    found = decide(backups, policy, NOW)
    moments = [one.summary.snapshot_at for one in found if one.is_kept]
    assert [f"{moment:%m-%d %H}" for moment in moments] == ["10-31 18", "11-23 18", "11-24 18", "11-25 12"]


def test_periods_begin_where_the_time_zone_says() -> None:
    backups = [a_backup(NOW - datetime(2026, 11, 20, hour, tzinfo=UTC)) for hour in (22, 23)]
    counts = {
        zone: len(
            kept(
                decide(
                    backups, a_policy(within=timedelta(0), per_period={"daily": 9}, grace=timedelta(0), zone=zone), NOW
                )
            )
        )
        for zone in (UTC, ZoneInfo("Europe/Berlin"))
    }
    assert list(counts.values()) == [1, 2]


def test_the_two_equal_hours_of_a_clock_change_are_two() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    backups = [a_backup(NOW - datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) for hour in (0, 1)]
    policy = a_policy(within=timedelta(0), per_period={"hourly": 2}, grace=timedelta(0), zone=berlin)
    assert len(kept(decide(backups, policy, NOW))) == 2


@pytest.mark.parametrize("fields", [{}, {"within": timedelta(0)}])
def test_a_policy_that_would_remove_everything_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="would remove every backup of 'hot'"):
        decide([a_backup(200 * DAY), a_backup(100 * DAY)], a_policy(**fields), NOW)


def test_a_database_without_backups_needs_no_policy() -> None:
    assert decide([], a_policy(within=timedelta(0)), NOW) == []


def test_what_is_freed_is_what_no_kept_backup_refers_to_and_each_object_once() -> None:
    first = a_backup(93 * DAY, objects=[("a", 1), ("b", 2), ("shared", 4)])
    second = a_backup(92 * DAY, objects=[("b", 2), ("c", 8), ("shared", 4)])
    newest = a_backup(DAY, objects=[("shared", 4), ("d", 16)])
    found = decide([newest, second, first], a_policy(), NOW)
    assert freed(found) == {first.summary.backup_id: 3, second.summary.backup_id: 8}


AGES = st.lists(st.timedeltas(timedelta(0), 800 * DAY), min_size=1, max_size=40, unique=True)
POLICIES = st.builds(
    lambda within, last, periods: a_policy(within=within, last=last, per_period=periods),
    st.timedeltas(timedelta(0), 400 * DAY),
    st.integers(0, 5),
    st.dictionaries(st.sampled_from(["hourly", "daily", "weekly", "monthly", "yearly"]), st.integers(0, 12)),
)


@given(AGES, POLICIES, st.data())
def test_what_must_stay_stays_whatever_the_policy(ages: list[timedelta], policy: Policy, data: st.DataObject) -> None:
    backups = [
        a_backup(
            age, scope=data.draw(st.sampled_from(["full", "incremental"])), pin=data.draw(st.none() | st.just("x"))
        )
        for age in ages
    ]
    try:
        found = {one.summary.backup_id: one for one in decide(data.draw(st.permutations(backups)), policy, NOW)}
    except UsageError:
        return
    ordered = sorted(backups, key=lambda one: one.summary.snapshot_at)
    fulls = [one for one in ordered if one.summary.scope == "full"]
    for one in ordered:
        decision = found[one.summary.backup_id]
        must = one in (ordered[-1:] + fulls[-1:]) or one.pin or one.summary.snapshot_at > NOW - DAY
        within = one.summary.snapshot_at > NOW - policy.within
        assert decision.is_kept or not (must or within)
        assert decision.reasons
    assert sum(one.is_kept for one in found.values()) >= min(policy.last, len(ordered))


@given(AGES, POLICIES)
def test_pruning_twice_removes_no_more_than_pruning_once(ages: list[timedelta], policy: Policy) -> None:
    try:
        first = decide([a_backup(age) for age in ages], policy, NOW)
    except UsageError:
        return
    survivors = [Candidate(summary=one.summary, written_at=one.summary.snapshot_at) for one in first if one.is_kept]
    assert all(one.is_kept for one in decide(survivors, policy, NOW))
