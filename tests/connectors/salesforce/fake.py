"""A Salesforce of canned answers over real HTTP, for what no well-behaved org does."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_plus

CLOCK = "Mon, 01 Jun 2026 12:00:00 GMT"
EXPIRED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


@dataclass(frozen=True)
class Answer:
    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    size: int  # bytes of the request line and the headers


class FakeOrg:
    """Answers by script: the latest matching one, its answers in turn, the last for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.logins = 0
        self._lock = threading.Lock()
        self._scripts: list[tuple[str, re.Pattern[str], list[Answer]]] = []
        self.port = 0
        self.answer("GET", r"/services/data/v[\d.]+/$", {})
        few = {"totalSize": 1, "done": True, "records": []}
        self.answer("GET", r"/query/\?q=SELECT COUNT\(\)", few)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, pattern: str, *answers: Any) -> None:
        made = [each if isinstance(each, Answer) else Answer(each) for each in answers]
        self._scripts.append((method, re.compile(pattern), made))

    def describe(self, sobject: str, *names: str, **relationships: str) -> None:
        fields = [{"name": name, "relationshipName": None} for name in names]
        fields += [{"name": name, "relationshipName": to} for name, to in relationships.items()]
        self.answer("GET", f"/sobjects/{sobject}/describe$", {"name": sobject, "fields": fields})

    def rows(self, pattern: str, *rows: Mapping[str, Any]) -> None:
        page = {"totalSize": len(rows), "done": True, "records": list(rows)}
        self.answer("GET", pattern, page)

    def sent(self, method: str, pattern: str) -> list[Request]:
        found = re.compile(pattern)
        return [r for r in self.requests if r.method == method and found.search(r.path)]

    def respond(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            for method, pattern, answers in reversed(self._scripts):
                if method == request.method and pattern.search(request.path):
                    return answers.pop(0) if len(answers) > 1 else answers[0]
            if request.path == "/services/oauth2/token":
                self.logins += 1
                token = f"token-{self.logins}"
                return Answer({"access_token": token, "instance_url": self.base_url})
        missing = [{"message": f"no script for {request.path}", "errorCode": "NOT_FOUND"}]
        return Answer(missing, status=404)


@contextmanager
def serving(org: FakeOrg) -> Iterator[FakeOrg]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            size = len(self.requestline) + len(bytes(self.headers))
            path = unquote_plus(self.path)
            seen = Request(self.command, path, dict(self.headers), body, size)
            self.reply(org.respond(seen))

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def reply(self, answer: Answer) -> None:
            raw = answer.body
            content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
            self.send_response_only(answer.status)
            told = {"Date": CLOCK, "Content-Type": "application/json", **answer.headers}
            for name, value in told.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if answer.is_cut else content)
            self.close_connection = answer.is_cut

        def log_message(self, *args: Any) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        org.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield org
        finally:
            server.shutdown()
