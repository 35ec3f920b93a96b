"""The three ways to tell a hook: a command, a webhook, a ping. Each raises what went wrong, without secrets."""

import os
import signal
import subprocess
from contextlib import suppress
from urllib.parse import urlencode, urlsplit, urlunsplit

from duckback.hooks.told import Told

_LAST_WORDS = 500
_FIRST_BAD_STATUS = 300
_PING_PATHS = {"start": "/start", "success": "", "failure": "/fail"}


class HookFailed(Exception):
    """A hook was not told, or did not do what it was told for. Leaves this package as words only."""


def run_command(command: tuple[str, ...], told: Told, seconds: float) -> None:
    """Run a command, with the event on its standard input and in DUCKBACK_EVENT, _ROUTE, _DATABASE and _RUN_ID.

    Raises:
        HookFailed: it cannot be run, does not end in time (it and its children are killed), or fails.
    """
    environment = {
        "DUCKBACK_EVENT": told.event,
        "DUCKBACK_ROUTE": told.route,
        "DUCKBACK_DATABASE": told.database,
        "DUCKBACK_RUN_ID": str(told.run_id),
    }
    try:
        process = subprocess.Popen(  # noqa: S603 -- the operator's own command, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except OSError as error:
        raise HookFailed(f"the hook's command {command[0]} cannot be run: {error.strerror}") from error
    try:
        _, errors = process.communicate(told.json, timeout=seconds)
    except subprocess.TimeoutExpired:
        # The command itself may have ended, and its children hold its pipe.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        raise HookFailed(f"the hook's command {command[0]} did not end within {seconds:g} s") from None
    finally:
        _end(process)
    if process.returncode:
        words = errors[-_LAST_WORDS:].decode(errors="replace").strip()
        raise HookFailed(f"the hook's command {command[0]} ended with code {process.returncode}: {words}".rstrip(": "))


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stderr):
        if pipe is not None:
            pipe.close()


def post_webhook(url: str, told: Told, seconds: float) -> None:
    """Post the event as JSON.

    Raises:
        HookFailed: no connection, no answer in time, or one that is not of the kind 2xx.
    """
    _post("webhook", url, told, seconds)


def post_ping(url: str, told: Told, seconds: float) -> None:
    """Post to URL/start, URL or URL/fail, with the run's id as `rid`: the protocol of healthchecks.io.

    Raises:
        HookFailed: as `post_webhook`.
    """
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode({"rid": str(told.run_id)}))))
    path = parts.path.rstrip("/") + _PING_PATHS[told.event]
    _post("ping", urlunsplit(parts._replace(path=path, query=query)), told, seconds)


def _post(what: str, url: str, told: Told, seconds: float) -> None:
    import urllib3  # noqa: PLC0415 -- a tenth of what a run imports, and few have such hooks

    host = urlsplit(url).hostname
    try:
        with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(seconds)) as pool:
            answer = pool.request("POST", url, body=told.json, headers={"Content-Type": "application/json"})
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # Its text may hold the address, and the address may be a secret.
        raise HookFailed(f"the {what} at {host} was not reached: {type(error).__name__}") from None
    if answer.status >= _FIRST_BAD_STATUS:
        raise HookFailed(f"the {what} at {host} answered {answer.status}")
