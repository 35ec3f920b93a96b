"""Times as people write them in options."""

from datetime import UTC, datetime, timedelta

from duckback.errors import UsageError
from duckback.model.durations import parse_duration


def parse_moment(flag: str, text: str | None) -> datetime | None:
    """An RFC 3339 time, in UTC if it has no zone; None as it is.

    Raises:
        UsageError: a text of another form; the flag is named.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r} is not a time", hint="Write it as 2026-11-23T03:00:00Z.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def parse_length(flag: str, text: str | None) -> timedelta | None:
    """A length of time such as 30m; None as it is.

    Raises:
        UsageError: a text of another form; the flag is named.
    """
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}", hint="Write it as 30m, 2h or 90s.") from error
    return length if isinstance(length, timedelta) else None
