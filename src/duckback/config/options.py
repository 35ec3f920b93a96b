"""Every option, with its type, default and meaning; flags, environment variables and the file all set these."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.fields import FieldInfo

from duckback.config.addresses import parse_addresses
from duckback.config.service import DaemonOptions, HookOptions, Schedule
from duckback.config.sizes import parse_size
from duckback.ledger.codec import LEDGER
from duckback.ledger.remote import Remote
from duckback.model.durations import format_duration, parse_duration
from duckback.model.policy import Policy
from duckback.source.captures import CaptureChoice
from duckback.store.base import ObjectLock
from duckback.store.s3_options import S3Options

MEMORY_PER_THREAD_MB = 300
_MOST_THREADS = 4

Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]
"""A length of time as people write it: "90d", "24h", "30m", "90s"."""


Addresses = Annotated[tuple[str, ...], BeforeValidator(parse_addresses)]
"""IP addresses with ports, as a list or separated by commas."""


class Retention(BaseModel):
    """How long backups and local copies are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_within: Duration = Field(timedelta(days=90), description="keep backups that are younger than this")
    keep_last: int = Field(0, ge=0, description="keep the newest so many backups")
    keep_hourly: int = Field(
        0, ge=0, description="keep the newest backup of each of the last so many hours that have one"
    )
    keep_daily: int = Field(0, ge=0, description="the same of days")
    keep_weekly: int = Field(0, ge=0, description="the same of weeks, which begin on Mondays")
    keep_monthly: int = Field(0, ge=0, description="the same of months")
    keep_yearly: int = Field(0, ge=0, description="the same of years")
    time_zone: ZoneInfo = Field(
        ZoneInfo("UTC"), description="in which hours, days, weeks, months and years begin, such as Europe/Berlin"
    )
    grace: Duration = Field(
        timedelta(hours=24), description="nothing younger than this is removed, whatever else is said"
    )
    keep_local: Duration = Field(timedelta(days=7), description="how long local copies of uploaded files stay")
    object_lock: Literal["none", "governance", "compliance"] = Field(
        "none", description="lock every object in S3 against deletion: governance, compliance or none"
    )
    lock_for: Duration = Field(timedelta(days=90), gt=timedelta(0), description="how long objects are locked")

    @property
    def policy(self) -> Policy:
        """What prune goes by."""
        return Policy(
            within=self.keep_within,
            last=self.keep_last,
            per_period={
                "hourly": self.keep_hourly,
                "daily": self.keep_daily,
                "weekly": self.keep_weekly,
                "monthly": self.keep_monthly,
                "yearly": self.keep_yearly,
            },
            grace=self.grace,
            zone=self.time_zone,
        )

    @property
    def lock(self) -> ObjectLock | None:
        """The object lock that is asked for, if one is."""
        return ObjectLock(self.object_lock, self.lock_for) if self.object_lock != "none" else None


class LedgerOptions(BaseModel):
    """Where events go beside the embedded ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tigerbeetle_addresses: Addresses = Field(
        (),
        description="TigerBeetle's replicas, IP address and port, separated by commas; none: the embedded ledger alone",
    )
    cluster_id: int = Field(0, ge=0, lt=1 << 128, description="the id of TigerBeetle's cluster")
    number: int = Field(LEDGER, ge=1, lt=1 << 32, description="the number of the ledger; TigerBeetle has no ledger 0")
    timeout: Duration = Field(
        timedelta(seconds=5), gt=timedelta(0), description="how long one attempt to deliver events may last"
    )

    @property
    def remote(self) -> Remote | None:
        """The TigerBeetle that is meant, if one is."""
        if not self.tigerbeetle_addresses:
            return None
        return Remote(
            addresses=self.tigerbeetle_addresses, cluster_id=self.cluster_id, number=self.number, timeout=self.timeout
        )


class Options(BaseModel):
    """The options of one run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repo: str | None = Field(None, description="the repository: a directory, or s3://bucket/prefix")
    name: str | None = Field(None, description="the database's name in the repository; default: the file's stem")
    state_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_state_dir("duckback")),
        description="the ledger, local copies and staging",
    )
    staging_dir: Path | None = Field(None, description="where files wait on their way; default: in the state directory")
    capture: CaptureChoice = Field(
        "auto", description="how the database is captured: image, connection, direct; auto is image for a file"
    )
    image_dir: Path | None = Field(
        None, description="where the private image of the database is; default: in the state directory"
    )
    keep_image: bool = Field(False, description="keep the image, so that the next capture writes only what changed")
    capture_attempts: int = Field(5, ge=1, description="images that may turn out unreadable before giving up")
    capture_timeout: Duration = Field(timedelta(minutes=10), description="how long taking one image may last")
    allow_network_filesystem: bool = Field(
        False, description="take images from NFS, SMB and FUSE too, if the writer runs on this machine"
    )
    threads: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, _MOST_THREADS), ge=1, description="threads for DuckDB"
    )
    memory_limit: str = Field(
        default_factory=lambda data: f"{MEMORY_PER_THREAD_MB * data['threads']}MB",
        description="the most memory that DuckDB may use in a child process",
    )
    job_timeout: Duration = Field(
        timedelta(hours=24),
        gt=timedelta(0),
        description="how long one child process may read or make a database before it is ended",
    )
    rewrite_share: float = Field(
        0.5,
        gt=0,
        description="rows that were added to or removed from a table since it was written whole, as a share of its "
        "rows, from which the next incremental writes it whole again",
    )
    niceness: int = Field(
        5, ge=0, le=19, description="how far `backup` and the daemon's runs stand back for other processes, 0 to 19"
    )
    least_share: float = Field(
        0.15,
        ge=0.01,
        le=1,
        description="the least share of the time that an export runs of a database that another process has open for "
        "writing, with half of the threads: less, down to this, the more the others use of the processors; 1: "
        "as if alone",
    )
    bandwidth: Annotated[int | None, BeforeValidator(parse_size)] = Field(
        None, gt=0, description="the most bytes a second that one backup sends to the store, such as 20MB; default: any"
    )
    log_format: Literal["text", "json"] = Field("text", description="how log lines are written: text or json")
    s3: S3Options = S3Options()
    schedule: Schedule = Schedule()
    daemon: DaemonOptions = DaemonOptions()
    hooks: HookOptions = HookOptions()
    retention: Retention = Retention()
    ledger: LedgerOptions = LedgerOptions()


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one level with dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def describe(option: str) -> str:
    """What an option means, by its dotted name."""
    return _field(option).description or option.replace("_", " ")


def is_switch(option: str) -> bool:
    """Whether an option is either on or off."""
    return _field(option).annotation is bool


def _field(option: str) -> FieldInfo:
    table, _, name = option.rpartition(".")
    model = Options.model_fields[table].annotation if table else Options
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise KeyError(option)
    return model.model_fields[name]
