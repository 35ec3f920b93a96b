"""Timetables as people write them in options: lengths of time, or cron expressions."""

import difflib
from datetime import timedelta
from zoneinfo import ZoneInfo, available_timezones

from duckback.model.durations import parse_duration
from duckback.model.timetable import Cron, Every, Timetable

NEVER = "never"


def parse_timetable(text: str, zone: ZoneInfo) -> Timetable | None:
    """`6h` as every six hours, `30 2 * * *` as half past two in the zone; `never` as None.

    Raises:
        ValueError: it is none of these.
    """
    if text == NEVER:
        return None
    if " " in text.strip():
        return Cron(text, zone)
    try:
        interval = parse_duration(text)
    except ValueError as error:
        raise ValueError(f'{text!r} is neither a length of time ("6h"), a cron expression nor "never"') from error
    if not isinstance(interval, timedelta) or not interval:
        raise ValueError("an interval must be longer than nothing")
    return Every(interval)


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of that name of the IANA's.

    Raises:
        ValueError: there is none; the nearest one is named.
    """
    known = available_timezones()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise ValueError(f"there is no time zone {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return ZoneInfo(name)
