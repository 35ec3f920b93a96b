"""How log lines look: JSON or text, with the run's id on each, and without secrets.

Whoever writes one uses the standard logger "duckback", by structlog or not; a library is silent until its user asks.
"""

import logging
import os
import re
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

LogFormat = Literal["text", "json"]

_HIDDEN = "[redacted]"
_SHORTEST = 6
_SECRET_NAME = re.compile(
    r"SECRET|PASSW|TOKEN|CREDENTIAL|(?:^|_)KEY(?:_|$)|^DUCKBACK_HOOKS_(?:WEBHOOK|PING)$", re.IGNORECASE
)
_PATTERNS = (
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{_HIDDEN}@"),
    (re.compile(r"(?i)\b((?:x-amz-)?(?:signature|credential|security-token)=)[^&\s\"']+"), rf"\g<1>{_HIDDEN}"),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:(?:basic|bearer)\s+)?)[^\s\"',]+"), rf"\g<1>{_HIDDEN}"),
    (re.compile(r"(?i)((?:secret|password|passwd|token)[\w-]*['\"]?\s*[:=]\s*['\"]?)[^\s\"',&]+"), rf"\g<1>{_HIDDEN}"),
)
_told: set[str] = set()


def logger() -> structlog.stdlib.BoundLogger:
    """The logger of all of Duckback."""
    log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger("duckback"),
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return log


def conceal(*secrets: str) -> None:
    """Never show these texts in a log line from now on."""
    _told.update(secret for secret in secrets if len(secret) >= _SHORTEST)


def redacted(text: str, environment: Mapping[str, str] | None = None) -> str:
    """A text without secrets.

    What goes: what `conceal` was told, the values of variables whose names say that they are secret, and what looks
    like a credential in a URL, a query, a header or an assignment.

    Args:
        text: any.
        environment: default: the process's.
    """
    variables = os.environ if environment is None else environment
    named = {value for name, value in variables.items() if len(value) >= _SHORTEST and _SECRET_NAME.search(name)}
    # The longest first: one may be a part of another.
    for secret in sorted(_told | named, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: no text in the event holds a secret, however deep."""
    return {key: _clean(value) for key, value in event.items()}


def _clean(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case Mapping():
            return {key: _clean(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(each) for each in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redacted(str(value))


def log_to(stream: TextIO | None = None, *, level: int = logging.INFO, log_format: LogFormat = "text") -> None:
    """Let "duckback" write to a stream (default: standard error), from that level on; called again, it starts anew."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, *_renderers(log_format)],
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
            ],
        )
    )
    log = logging.getLogger("duckback")
    for old in log.handlers[:]:
        log.removeHandler(old)
    log.addHandler(handler)
    log.setLevel(level)


def _renderers(log_format: LogFormat) -> list[Processor]:
    if log_format == "json":
        return [structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=False, sort_keys=False)]
