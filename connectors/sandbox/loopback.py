"""A small HTTP/1.1 server on loopback: requests in, responses out, keep-alive, threads."""

import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from connectors.sandbox.clock import SandboxClock

_LONGEST_TARGET = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call. Header names are lower-case; of a repeated query key the last value counts
    in `query`, while `pairs` has them all.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    pairs: Sequence[tuple[str, str]] = ()

    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        return orjson.loads(self.body)

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One reply. `cut_after` sends so many bytes of the body, then drops the connection;
    `is_reset` drops it before the first byte.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    is_reset: bool = False


def reply_json(body: Any, status: int = 200, **headers: str) -> Response:
    """A JSON reply."""
    return Response(
        status=status,
        body=orjson.dumps(body),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


Handle = Callable[[Request], Response]


class LoopbackServer:
    """Serves `handle` on 127.0.0.1; the `Date` of every reply is the sandbox's clock."""

    def __init__(self, handle: Handle, clock: SandboxClock, port: int) -> None:
        self._server = _Server(port, handle, clock)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set."""
        thread = threading.Thread(target=self._server.serve_forever, name="sandbox-http")
        thread.start()
        try:
            stop.wait()
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        body = _body(self)
        if body is None:
            self.close_connection = True
            return
        target = urlsplit(self.path)
        if len(self.path) > _LONGEST_TARGET:
            self._send(Response(status=414, body=b"URI Too Long", content_type="text/html"))
            return
        pairs = parse_qsl(target.query, keep_blank_values=True)
        request = Request(
            method=self.command,
            path=unquote(target.path),
            query=dict(pairs),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            pairs=pairs,
        )
        self._send(_answer(self.server.answer, request))

    def _send(self, response: Response) -> None:
        if response.is_reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        self.send_response_only(response.status)
        self.send_header("Date", format_datetime(self.server.clock.now(), usegmt=True))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:  # noqa: PLR2004 -- no content, so no length either
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: response.cut_after])
        self.wfile.flush()
        if response.cut_after is not None:
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 -- the base's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base's name
        """Say nothing: the sandbox counts its calls itself."""


def _answer(handle: Handle, request: Request) -> Response:
    """The reply; a mistake of the sandbox's own is a 500 whose trace is on stderr."""
    try:
        return handle(request)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the client needs an answer
        traceback.print_exc()
        body = [{"message": f"sandbox: {error!r}", "errorCode": "UNKNOWN_EXCEPTION"}]
        return reply_json(body, 500)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, answer: Handle, clock: SandboxClock) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = answer
        self.clock = clock

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in mid-call is everyday life here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _body(handler: BaseHTTPRequestHandler) -> bytes | None:
    """The whole body; None: the client died while sending it."""
    length = int(handler.headers.get("Content-Length") or 0)
    if not length:
        return _chunks(handler)
    body = handler.rfile.read(length)
    return body if len(body) == length else None


def _chunks(handler: BaseHTTPRequestHandler) -> bytes:
    """A body sent in chunks (Node does so for streams)."""
    if "chunked" not in (handler.headers.get("Transfer-Encoding") or "").lower():
        return b""
    body = b""
    while size := int(handler.rfile.readline().split(b";")[0].strip() or b"0", 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    while handler.rfile.readline().strip():
        pass
    return body
