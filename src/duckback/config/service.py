"""The options of what runs by itself: schedules, the daemon, hooks."""

import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    field_validator,
)

from duckback.config.timetables import NEVER, parse_timetable, parse_zone
from duckback.model.durations import format_duration, parse_duration
from duckback.model.schedule import Task
from duckback.model.timetable import Timetable, longest_gap
from duckback.routes import ROUTES

Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]

HookEvent = Literal["start", "success", "failure"]

_LEAST_GRACE, _MOST_GRACE = timedelta(minutes=1), timedelta(hours=1)
_GRACE_SHARE = 12
_LAST_PORT = 65_535
OFF = "off"


class Schedule(BaseModel):
    """When the daemon does what for a database."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    full: str = Field("24h", description='full backups: an interval ("24h") or a cron expression ("30 2 * * *")')
    incremental: str = Field("6h", description='incremental backups: likewise, or "never"')
    verify: str = Field("24h", description='verification of backups that were not verified yet: likewise, or "never"')
    test_restore: str = Field("30d", description='test restores of the newest backup: likewise, or "never"')
    time_zone: str = Field("UTC", description="the time zone of the cron expressions, such as Europe/Berlin")
    rpo: Duration | None = Field(
        None,
        description="the age of the newest backup from which `check` and the alerts complain; default: the longest "
        "time between two backups of the schedule, and a twelfth of it (a minute to an hour)",
    )

    @field_validator("full")
    @classmethod
    def _comes(cls, value: str) -> str:
        if value == NEVER:
            raise ValueError('cannot be "never": the first backup is a full one')
        return value

    @field_validator("full", "incremental", "verify", "test_restore")
    @classmethod
    def _is_a_timetable(cls, value: str) -> str:
        parse_timetable(value, parse_zone("UTC"))
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        parse_zone(value)
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the cron expressions."""
        return parse_zone(self.time_zone)

    @property
    def timetables(self) -> Mapping[Task, Timetable | None]:
        """Of each task; None: never."""
        return {task: parse_timetable(str(getattr(self, task)), self.zone) for task in Task}

    def rpo_at(self, now: datetime) -> timedelta:
        """The oldest that the newest backup may be: as given, else by the schedule; see the option."""
        if self.rpo is not None:
            return self.rpo
        tables = self.timetables
        return _with_grace(tuple(t for t in (tables[Task.FULL], tables[Task.INCREMENTAL]) if t is not None), now)

    def longest(self, task: Task, now: datetime) -> timedelta | None:
        """The longest time between two runs of a task, and a twelfth of it; None where it has no timetable."""
        table = self.timetables[task]
        return None if table is None else _with_grace((table,), now)


def _with_grace(tables: tuple[Timetable, ...], now: datetime) -> timedelta:
    gap = longest_gap(tables, now)
    return gap + min(max(gap / _GRACE_SHARE, _LEAST_GRACE), _MOST_GRACE)


class DaemonOptions(BaseModel):
    """How the daemon works, for all its databases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_once: int = Field(2, ge=1, le=64, description="databases that the daemon attends to at a time")
    spread: Duration = Field(
        timedelta(minutes=5), description="the time over which the starts of different databases are spread"
    )
    stop_within: Duration = Field(
        timedelta(seconds=60), description="how long runs may take to end after SIGTERM before they are killed"
    )
    longest_run: Duration = Field(
        timedelta(hours=12), gt=timedelta(0), description="the age at which a run is given up and killed"
    )
    longest_look: Duration = Field(
        timedelta(minutes=10),
        gt=timedelta(0),
        description="the age at which a look at a repository is given up, so that other databases have their turn",
    )
    listen: str = Field(
        "127.0.0.1:9817", description='address and port for /healthz, /readyz and /metrics, or "off"; port 0: any'
    )

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value == OFF:
            return value
        host, _, port = value.rpartition(":")
        try:
            ip_address(host.removeprefix("[").removesuffix("]"))
        except ValueError as error:
            raise ValueError(f'{value!r} is not "off" or an IP address with a port, such as 127.0.0.1:9817') from error
        if not (port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
            raise ValueError(f"{value!r} has no port from 0 to {_LAST_PORT}")
        return value

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; None: nothing listens."""
        if self.listen == OFF:
            return None
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)


def _words(value: object) -> object:
    return tuple(shlex.split(value)) if isinstance(value, str) else value


def _events(value: object) -> object:
    return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value


class HookOptions(BaseModel):
    """Who is told of the start and the end of each route."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        (), description="a command, without a shell; it gets the event as JSON on standard input"
    )
    webhook: SecretStr | None = Field(None, description="a URL to which the event is posted as JSON")
    ping: SecretStr | None = Field(
        None, description="a URL in the manner of healthchecks: URL/start, URL and URL/fail are posted to"
    )
    events: Annotated[tuple[HookEvent, ...], BeforeValidator(_events)] = Field(
        get_args(HookEvent), description="which events: start, success, failure"
    )
    routes: Annotated[tuple[str, ...], BeforeValidator(_events)] = Field(
        tuple(route.name for route in ROUTES), description="of which routes; default: all"
    )
    timeout: Duration = Field(timedelta(seconds=10), gt=timedelta(0), description="how long a hook may take")

    @field_validator("routes")
    @classmethod
    def _are_routes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = [route.name for route in ROUTES]
        for name in value:
            if name not in known:
                raise ValueError(f"there is no route {name!r}; there are: {', '.join(known)}")
        return value

    @field_validator("webhook", "ping")
    @classmethod
    def _is_a_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        return value
