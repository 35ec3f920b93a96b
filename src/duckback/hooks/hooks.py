"""The hooks of one database, told all at a time and within their time."""

import threading
import time
from collections.abc import Callable

from duckback import logs
from duckback.config.service import HookOptions
from duckback.hooks.senders import HookFailed, post_ping, post_webhook, run_command
from duckback.hooks.told import Told

_SLACK_SECONDS = 1.0
_log = logs.logger()
_failed: list[str] = []


def failures() -> int:
    """How many hooks have failed in this process."""
    return len(_failed)


class Hooks:
    """Tells a command, a webhook and a ping, as far as there are such."""

    def __init__(self, options: HookOptions) -> None:
        self._options = options
        self._seconds = options.timeout.total_seconds()
        logs.conceal(*(url.get_secret_value() for url in (options.webhook, options.ping) if url is not None))

    def tell(self, told: Told) -> tuple[str, ...]:
        """Tell each hook of an event; returns after at most the timeout and a second, whatever they do.

        Returns:
            What went wrong, in words without secrets; logged as well, and never raised.
        """
        if told.event not in self._options.events or told.route not in self._options.routes:
            return ()
        calls = [_Call(what, act) for what, act in self._acts(told).items()]
        until = time.monotonic() + self._seconds + _SLACK_SECONDS
        failures = tuple(logs.redacted(call.failure(until)) for call in calls)
        for failure in filter(None, failures):
            _failed.append(failure)
            _log.warning("hook failed", hook_event=told.event, route=told.route, error=failure)
        return tuple(filter(None, failures))

    def _acts(self, told: Told) -> dict[str, Callable[[], None]]:
        options, seconds = self._options, self._seconds
        acts: dict[str, Callable[[], None]] = {}
        if options.command:
            acts["command"] = lambda: run_command(options.command, told, seconds)
        if (webhook := options.webhook) is not None:
            acts["webhook"] = lambda: post_webhook(webhook.get_secret_value(), told, seconds)
        if (ping := options.ping) is not None:
            acts["ping"] = lambda: post_ping(ping.get_secret_value(), told, seconds)
        return acts


class _Call:
    """One hook being told, in a thread: a server that sends a byte now and then outlasts every timeout of a socket."""

    def __init__(self, what: str, act: Callable[[], None]) -> None:
        self._what = what
        self._act = act
        self._failure = ""
        self._thread = threading.Thread(target=self._run, name=f"hook-{what}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._act()
        except HookFailed as error:
            self._failure = str(error)
        except Exception as error:  # noqa: BLE001 -- whatever a hook does, the run goes on
            self._failure = f"the hook's {self._what} failed: {type(error).__name__}"

    def failure(self, until: float) -> str:
        """Wait for its end, at most until that moment of the monotonic clock; what went wrong, or nothing."""
        self._thread.join(max(until - time.monotonic(), 0))
        return f"the hook's {self._what} did not end in time" if self._thread.is_alive() else self._failure
