"""A year of the daemon in simulated time: the exact runs, whatever clocks, machines and stores do."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from support.years import START, Run, World

from duckback.model.schedule import Plan, Task, plan
from duckback.model.timetable import Cron, Every

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
YEAR = START + 366 * DAY
BACKUPS = {Task.FULL: Every(DAY), Task.INCREMENTAL: Every(6 * HOUR)}
ALL = {**BACKUPS, Task.VERIFY: Every(DAY), Task.TEST_RESTORE: Every(30 * DAY)}
NO_SPREAD = timedelta(0)


def protected(**timetables: Mapping[Task, Every | Cron]) -> dict[str, Plan]:
    return {name: plan(name, tables, NO_SPREAD) for name, tables in timetables.items()}


def backups(world: World, name: str = "hot") -> list[tuple[Task, datetime]]:
    return [
        (run.task, run.at) for run in world.runs if run.name == name and run.task in BACKUPS and run not in world.failed
    ]


def on_time(start: datetime, end: datetime) -> Iterator[tuple[Task, datetime]]:
    moment = start
    while moment < end:
        yield (Task.FULL if moment.hour == 0 else Task.INCREMENTAL), moment
        moment += 6 * HOUR


def test_a_leap_year_has_366_fulls_and_1098_incrementals_each_on_its_moment() -> None:
    world = World(protected(hot=BACKUPS))
    world.live(YEAR)
    assert backups(world) == list(on_time(START, YEAR))
    assert len([task for task, _ in backups(world) if task is Task.FULL]) == 366
    assert len(world.runs) == 366 * 4
    assert datetime(2028, 2, 29, tzinfo=START.tzinfo) in dict(map(reversed, backups(world)))  # type: ignore[arg-type]


def test_every_task_of_a_year_comes_at_its_interval() -> None:
    world = World(protected(hot=ALL))
    world.live(YEAR)
    assert backups(world) == list(on_time(START, YEAR))
    verified = [run.at for run in world.runs if run.task is Task.VERIFY]
    # What is new is there when the first backup of the day is.
    assert verified == [START + day * DAY + 10 * MINUTE for day in range(366)]
    tested = [run.at for run in world.runs if run.task is Task.TEST_RESTORE]
    assert {later - earlier for earlier, later in pairwise(tested[1:])} == {30 * DAY}
    assert tested[0] == START + 20 * MINUTE


@pytest.mark.parametrize(
    ("zone", "skipped", "repeated"),
    [
        ("Europe/Berlin", date(2028, 3, 26), date(2028, 10, 29)),
        ("America/New_York", date(2028, 3, 12), date(2028, 11, 5)),
    ],
)
def test_cron_in_a_zone_with_summer_time_runs_once_a_day_on_days_of_23_and_25_hours(
    zone: str, skipped: date, repeated: date
) -> None:
    local = ZoneInfo(zone)
    world = World(protected(hot={Task.FULL: Cron("30 2 * * *", local)}))
    world.live(YEAR)
    days = [at.astimezone(local) for _, at in backups(world)]
    # The first is the first of all; then one each local day, the two odd ones included.
    assert len({day.date() for day in days[1:]}) == len(days) - 1
    assert 365 <= len(days) <= 367
    times = {day.date(): day.time().replace(second=0) for day in days[1:]}
    # At half past two, but on the day that has no half past two: right after the change.
    odd = {day: time for day, time in times.items() if (time.hour, time.minute) != (2, 30)}
    assert list(odd) == [skipped]
    assert odd[skipped].hour == 3
    assert repeated in times


def test_an_hourly_cron_runs_in_both_of_the_repeated_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    world = World(protected(hot={Task.FULL: Cron("0 * * * *", zone)}), minutes=1)
    world.true = datetime(2028, 10, 28, 22, tzinfo=START.tzinfo)
    world.live(datetime(2028, 10, 29, 4, 30, tzinfo=START.tzinfo))
    assert [at.hour for _, at in backups(world)] == [22, 23, 0, 1, 2, 3, 4]


def test_a_restart_neither_loses_nor_doubles_a_run() -> None:
    world = World(protected(hot=BACKUPS))
    for day in range(1, 366):
        world.crash(START + day * DAY + (day % 24) * HOUR + 30 * MINUTE)
    world.live(YEAR)
    assert backups(world) == list(on_time(START, YEAR))


def test_after_downtime_there_is_one_run_and_the_full_where_both_are_due() -> None:
    world = World(protected(hot=BACKUPS))
    crashed = START + 10 * DAY + 7 * HOUR
    world.crash(crashed)
    world.live(START + 20 * DAY, away=5 * DAY + 4 * HOUR)
    back = crashed + 5 * DAY + 4 * HOUR
    expected = [*on_time(START, crashed), (Task.FULL, back), *on_time(START + 15 * DAY + 12 * HOUR, START + 20 * DAY)]
    assert backups(world) == expected


def test_after_a_short_downtime_the_catch_up_is_an_incremental() -> None:
    world = World(protected(hot=BACKUPS))
    crashed = START + 10 * DAY + 5 * HOUR
    world.crash(crashed)
    world.live(START + 11 * DAY, away=2 * HOUR)
    assert (Task.INCREMENTAL, crashed + 2 * HOUR) in backups(world)
    assert len(backups(world)) == 44


def test_a_machine_that_sleeps_runs_once_when_it_wakes() -> None:
    world = World(protected(hot=BACKUPS))
    asleep = START + 3 * DAY + 5 * HOUR
    world.suspend(asleep, 26 * HOUR)
    world.live(START + 6 * DAY)
    woke = asleep + 26 * HOUR
    between = [(task, at) for task, at in backups(world) if asleep <= at < woke + HOUR]
    assert between == [(Task.FULL, woke)]
    assert backups(world)[-1] == (Task.INCREMENTAL, START + 5 * DAY + 18 * HOUR)


def test_a_run_that_was_cut_short_by_a_crash_is_done_again_at_once() -> None:
    world = World(protected(hot=BACKUPS))
    world.crash(START + DAY + 6 * HOUR + 5 * MINUTE)
    world.live(START + 2 * DAY)
    again = START + DAY + 6 * HOUR + 5 * MINUTE
    assert [run.at for run in world.runs if START + DAY < run.at < START + DAY + 12 * HOUR] == [
        again - 5 * MINUTE,
        again,
    ]


@pytest.mark.parametrize("hours", [1, 5, 24, 24 * 30])
@pytest.mark.parametrize("at_hour", [1, 6.2, 11])
def test_a_clock_set_back_and_one_set_forward_neither_lose_nor_double_a_run(hours: float, at_hour: float) -> None:
    # Set forward by mistake, and right again after ten minutes: during a run, or between two.
    world = World(protected(hot=BACKUPS), minutes=3)
    wrong = START + 40 * DAY + at_hour * HOUR
    world.step_clock(wrong, hours * HOUR)
    world.step_clock(wrong + 10 * MINUTE, -hours * HOUR)
    world.live(START + 80 * DAY)
    right = [run.at for run in world.runs if run.at == run.true]
    assert right == [at for _, at in on_time(START, START + 80 * DAY)]
    # By the wrong clock something may be due, once.
    assert len(world.runs) - len(right) <= 1


@pytest.mark.parametrize("hours", [0.5, 3, 7, 30])
def test_a_clock_that_stays_set_back_leaves_no_gap_beyond_the_interval(hours: float) -> None:
    world = World(protected(hot=BACKUPS), minutes=3)
    world.step_clock(START + 40 * DAY + 7 * HOUR, -hours * HOUR)
    world.live(START + 50 * DAY)
    took = [run.true for run in world.runs]
    assert max(later - earlier for earlier, later in pairwise(took)) <= 6 * HOUR + (hours % 6) * HOUR + MINUTE
    # By that clock the 50 days are longer.
    assert len(took) <= (50 * 24 + hours) // 6 + 1
    # From the next moment of the clock on the wall everything is as ever.
    assert [at.hour % 6 for _, at in backups(world)] == [0] * len(backups(world))


def test_first_backup_of_all_is_not_doubled_by_a_clock_that_is_set_back() -> None:
    world = World(protected(hot=BACKUPS))
    world.true = START + 15 * HOUR
    world.step_clock(START + 15 * HOUR + 20 * MINUTE, -1 * HOUR)
    world.live(START + 21 * HOUR)
    assert backups(world) == [(Task.FULL, START + 15 * HOUR), (Task.INCREMENTAL, START + 18 * HOUR)]


def test_a_run_that_fails_is_tried_after_1_2_4_8_16_and_30_minutes_and_well_before_the_next_moment() -> None:
    world = World(protected(hot=BACKUPS), minutes=0)
    down = START + 5 * DAY + 6 * HOUR
    world.fails = lambda run: down <= run.at < down + 3 * HOUR
    world.live(START + 6 * DAY)
    tries = [run.at for run in world.failed]
    minutes = [(later - earlier) / MINUTE for earlier, later in pairwise(tries)]
    assert minutes == [1, 2, 4, 8, 16, 30, 30, 30, 30]
    caught_up = next(at for _, at in backups(world) if at >= down)
    assert down + 3 * HOUR <= caught_up <= down + 3 * HOUR + 30 * MINUTE
    assert backups(world)[-1] == (Task.INCREMENTAL, START + 5 * DAY + 18 * HOUR)
    assert (Task.INCREMENTAL, START + 5 * DAY + 12 * HOUR) in backups(world)


def test_while_a_full_that_failed_waits_an_incremental_is_taken() -> None:
    world = World(protected(hot=BACKUPS), minutes=0)
    world.fails = lambda run: run.task is Task.FULL and START + DAY <= run.at < START + 2 * DAY
    world.live(START + 3 * DAY)
    day = [(task, at) for task, at in backups(world) if START + DAY <= at < START + 2 * DAY]
    assert [task for task, _ in day] == [Task.INCREMENTAL] * 4
    assert max(b - a for (_, a), (_, b) in pairwise(backups(world))) <= 6 * HOUR
    assert 45 <= len(world.failed) <= 60


def test_a_repository_that_cannot_be_looked_at_is_asked_again_and_not_hammered() -> None:
    world = World(protected(hot=BACKUPS), minutes=0)
    down, up = START + 5 * HOUR + 30 * MINUTE, START + 11 * HOUR
    looks: list[datetime] = []

    def cannot(true: datetime) -> bool:
        looks.append(true)
        return down <= true < up

    world.cannot_look = cannot
    world.live(START + DAY)
    assert [at for _, at in backups(world) if START + 6 * HOUR < at < START + 12 * HOUR] == [
        pytest.approx(up + 15 * MINUTE, abs=20 * MINUTE)
    ]
    assert 8 <= len([at for at in looks if down <= at < up]) <= 24


def test_a_daemon_that_is_restarted_does_not_forget_that_a_run_failed() -> None:
    world = World(protected(hot=BACKUPS), minutes=0)
    down = START + 6 * HOUR
    world.fails = lambda run: down <= run.at < down + 2 * HOUR
    for minute in range(1, 60):
        world.crash(down + minute * MINUTE)
    world.live(START + DAY)
    assert len([run for run in world.failed if run.at < down + HOUR]) <= 7


def test_hundreds_of_databases_are_spread_and_never_more_than_so_many_run_at_once() -> None:
    spread = timedelta(hours=1)
    names = [f"database-{number}" for number in range(80)]
    world = World({name: plan(name, BACKUPS, spread) for name in names}, at_once=4, minutes=1)
    world.live(START + 3 * DAY)
    assert world.most == 4
    day = [run for run in world.runs if START + DAY <= run.at < START + 2 * DAY]
    assert len(day) == 80 * 4
    fulls = [run.at for run in day if run.task is Task.FULL]
    assert len({at.replace(second=0) for at in fulls}) > 30
    assert max(fulls) < START + DAY + spread + 30 * MINUTE
    # Each has its own moment, the same every day.
    mine = [run.at - START for run in world.runs if run.name == names[7] and run.task is Task.FULL][1:]
    assert {round((later - earlier) / MINUTE) for earlier, later in pairwise(mine)} <= set(range(1430, 1451))


def test_one_that_is_always_slow_does_not_keep_the_others_waiting() -> None:
    world = World(protected(a=BACKUPS, b={Task.FULL: Every(HOUR)}, c=BACKUPS), at_once=1, minutes=20)
    world.live(START + 2 * DAY)
    for name in ("a", "c"):
        taken = [at for _, at in backups(world, name)]
        assert max(later - earlier for earlier, later in pairwise(taken)) <= 7 * HOUR


def test_where_backups_are_always_due_verifications_and_test_restores_have_their_turns() -> None:
    tables = {Task.FULL: Every(HOUR), Task.VERIFY: Every(6 * HOUR), Task.TEST_RESTORE: Every(DAY)}
    world = World(protected(hot=tables), minutes=65)
    world.live(START + 6 * DAY)
    assert 10 <= len([run for run in world.runs if run.task is Task.VERIFY]) <= 24
    assert 3 <= len([run for run in world.runs if run.task is Task.TEST_RESTORE]) <= 6
    assert len(backups(world)) > 100


def test_after_a_downtime_the_backup_comes_before_what_has_waited_longer() -> None:
    world = World(protected(hot=ALL), minutes=5)
    world.crash(START + 3 * DAY)
    world.live(START + 150 * DAY, away=100 * DAY)
    back = [run.task for run in world.runs if run.at >= START + 103 * DAY][:3]
    assert back == [Task.FULL, Task.VERIFY, Task.TEST_RESTORE]


def test_a_run_longer_than_its_interval_is_followed_by_the_next_at_once() -> None:
    world = World(protected(hot={Task.FULL: Every(HOUR)}), minutes=90)
    world.live(START + DAY)
    assert [run.at for run in world.runs] == [START + number * 90 * MINUTE for number in range(17)]


def test_the_reason_says_since_when_and_what_was_last_done() -> None:
    world = World(protected(hot=BACKUPS))
    world.live(START + 7 * HOUR)
    assert world.reasons == [
        "hot full: due since 2028-01-01 00:00:00, never done",
        "hot incremental: due since 2028-01-01 06:00:00, last done at 2028-01-01 00:00:00",
    ]


def test_runs_can_be_ordered() -> None:
    assert Run(START, "a", Task.FULL) < Run(START, "b", Task.FULL)
