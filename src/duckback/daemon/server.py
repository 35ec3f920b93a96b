"""/healthz, /readyz and /metrics, for whoever watches the daemon."""

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET6
from typing import Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from duckback.errors import DuckbackError
from duckback.logs import logger

_log = logger()
_CONNECTION_SECONDS = 10.0

Answer = Callable[[], list[str]]
"""What is wrong, in words; nothing: all is well."""


class Server:
    """Answers from threads; use it as a context.

    Args:
        address: host and port; port 0: any that is free.
        registry: of the metrics.
        healthy: what is wrong with the process; a healthy one is not to be restarted.
        ready: what keeps it from working; that a backup is late is nothing of the kind.

    Raises:
        DuckbackError: the address is taken, or is not this machine's.
    """

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry, healthy: Answer, ready: Answer) -> None:
        handler = type(
            "Handler", (_Handler,), {"registry": registry, "answers": {"/healthz": healthy, "/readyz": ready}}
        )
        kind = _Server6 if ip_address(address[0]).version == 6 else _Server  # noqa: PLR2004 -- the version is in its name
        try:
            self._server = kind(address, handler)
        except OSError as error:
            raise DuckbackError(
                f"cannot listen on {address[0]}:{address[1]}: {error.strerror}",
                hint='Set daemon.listen to another address, or to "off".',
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="server", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = AF_INET6


class _Handler(BaseHTTPRequestHandler):
    registry: CollectorRegistry
    answers: dict[str, Answer]
    timeout = _CONNECTION_SECONDS
    server_version = "duckback"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._send(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.registry))
        elif path in self.answers:
            problems = self.answers[path]()
            status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
            document = {"status": "unavailable" if problems else "ok", "problems": problems}
            self._send(status, "application/json", json.dumps(document).encode())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There are /healthz, /readyz and /metrics.\n")

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the base class has it
        _log.debug("request", client=self.address_string(), request=format % args)
