"""How log lines look: JSON or text, with the run's id on each, and without secrets.

Whoever writes one uses the standard logger "duckback"; a library is silent until its user asks. Only to format lines
takes structlog, which with all that it imports takes longer to start than most runs have to say.
"""

import logging
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
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
_bound: ContextVar[Mapping[str, Any]] = ContextVar("duckback_logs", default=MappingProxyType({}))


class _Logger(logging.LoggerAdapter[logging.Logger]):
    """Takes the fields of a line as keyword arguments."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        own = {name: kwargs.pop(name) for name in ("exc_info", "stack_info", "stacklevel") if name in kwargs}
        return msg, {**own, "extra": dict(kwargs)}

    if TYPE_CHECKING:

        def debug(self, msg: object, *args: object, **fields: Any) -> None: ...
        def info(self, msg: object, *args: object, **fields: Any) -> None: ...
        def warning(self, msg: object, *args: object, **fields: Any) -> None: ...
        def error(self, msg: object, *args: object, **fields: Any) -> None: ...
        def exception(self, msg: object, *args: object, **fields: Any) -> None: ...


def logger() -> _Logger:
    """The logger of all of Duckback."""
    return _Logger(logging.getLogger("duckback"))


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Put these fields on every line that is written within."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def bound_fields() -> Mapping[str, Any]:
    """The fields that are put on every line now."""
    return _bound.get()


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


def redact(_logger: Any, _method: str, event: "EventDict") -> "EventDict":
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
    import structlog  # noqa: PLC0415 -- see the top of the file

    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, *_renderers(log_format)],
            foreign_pre_chain=[
                _merge_bound,
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


def _merge_bound(_logger: Any, _method: str, event: "EventDict") -> "EventDict":
    return {**_bound.get(), **event}


def _renderers(log_format: LogFormat) -> "list[Processor]":
    import structlog  # noqa: PLC0415 -- see the top of the file

    if log_format == "json":
        return [structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=False, sort_keys=False)]
