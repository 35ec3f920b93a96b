"""A proxy before a real S3 server, which answers for it, cuts it short, or slows it down when it is told to."""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_BLOCK = 1 << 14
_NOT_PASSED_ON = {"connection", "transfer-encoding", "keep-alive", "expect"}


@dataclass
class Poison:
    """What happens to requests.

    Attributes:
        meant: which requests, by method and path.
        times: how many of them.
        status: answered in the server's place, with this S3 error code.
        cut_after: bytes of the answer's body (of the request's, for a PUT) after which the connection ends.
        pause: seconds before every block of a body.
        call: is called in the middle of a body.
    """

    meant: Callable[[str, str], bool]
    times: int = 1
    status: tuple[int, str] | None = None
    cut_after: int | None = None
    pause: float = 0.0
    call: Callable[[], None] | None = None
    hits: int = field(default=0)


class Proxy:
    """Listens on a port of its own; `poisons` may change at any time.

    `answered` are the method, the path and the bytes of the body of each answer that the server gave.
    """

    def __init__(self, port_of_server: Callable[[], int]) -> None:
        self.poisons: list[Poison] = []
        self.answered: list[tuple[str, str, int]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, port_of_server))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def poison_for(self, method: str, path: str) -> Poison | None:
        with self._lock:
            for poison in self.poisons:
                if poison.hits < poison.times and poison.meant(method, path):
                    poison.hits += 1
                    return poison
        return None


class _Cut(Exception):
    """The connection ends here."""


def _handler(proxy: Proxy, port_of_server: Callable[[], int]) -> type[BaseHTTPRequestHandler]:  # noqa: C901 -- the methods of one small class
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _pass_on(self) -> None:
            poison = proxy.poison_for(self.command, self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                if poison is not None and poison.status is not None:
                    self._refuse(*poison.status)
                else:
                    self._forward(body, poison)
            except (OSError, http.client.HTTPException, _Cut):
                self.close_connection = True
                self.connection.close()

        def _forward(self, body: bytes, poison: Poison | None) -> None:
            if poison is not None and body:
                self._disturb(poison, len(body))
            upstream = http.client.HTTPConnection("127.0.0.1", port_of_server(), timeout=30)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
                upstream.request(self.command, self.path, body=body or None, headers=headers)
                self._answer(upstream.getresponse(), None if body else poison)
            finally:
                upstream.close()

        def _answer(self, answer: http.client.HTTPResponse, poison: Poison | None) -> None:
            data = answer.read()
            proxy.answered.append((self.command, self.path, len(data)))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {*_NOT_PASSED_ON, "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(data)))
            self.end_headers()
            for start in range(0, len(data), _BLOCK):
                if poison is not None:
                    self._disturb(poison, start)
                self.wfile.write(data[start : start + _BLOCK])

        def _disturb(self, poison: Poison, done: int) -> None:
            time.sleep(poison.pause)
            if poison.call is not None and done > 0:
                call, poison.call = poison.call, None
                call()
                raise _Cut
            if poison.cut_after is not None and done >= poison.cut_after:
                raise _Cut

        def _refuse(self, status: int, code: str) -> None:
            body = f"<Error><Code>{code}</Code><Message>{code}, says the proxy</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 -- as http.server calls them

    return Handler
