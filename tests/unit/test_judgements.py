"""What `check` makes of the locks that the store answers."""

from datetime import timedelta

import pytest

from duckback.audit.judgements import object_lock
from duckback.config.options import Retention
from duckback.model.checks import Status

DAY = timedelta(days=1)
NONE = timedelta(0)


@pytest.mark.parametrize(
    ("wanted", "held", "status"),
    [
        (None, NONE, None),
        (None, None, None),
        (90 * DAY, 90 * DAY, Status.OK),
        (90 * DAY, None, Status.OK),
        (None, 90 * DAY, Status.OK),
        (30 * DAY, 30 * DAY, Status.WARNING),
        (30 * DAY, None, Status.WARNING),
        (90 * DAY, 30 * DAY, Status.WARNING),
        (None, 30 * DAY, Status.WARNING),
        (90 * DAY, NONE, Status.WARNING),
    ],
)
def test_a_lock_that_ends_before_the_policy_does_is_warned_of(
    wanted: timedelta | None, held: timedelta | None, status: Status | None
) -> None:
    judged = object_lock(wanted, held, 90 * DAY)
    assert (judged.status if judged else None) is status


def test_the_warning_says_what_to_give() -> None:
    judged = object_lock(30 * DAY, None, 90 * DAY)
    assert judged is not None
    assert "locked for 30d, and backups are kept for 90d: give --lock-for 90d" in judged.message
    judged = object_lock(30 * DAY, None, 90 * DAY + timedelta(hours=1))
    assert judged is not None
    assert "--lock-for 91d" in judged.message


def test_what_periods_keep_reaches_as_far_as_their_number() -> None:
    assert Retention(keep_within=7 * DAY, keep_weekly=4, keep_daily=30).policy.reach == 30 * DAY
    assert Retention(keep_within=90 * DAY, keep_weekly=4).policy.reach == 90 * DAY
