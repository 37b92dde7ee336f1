"""What a process asks of a CRM over HTTP, call by call, and what came back."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import requests

_ROWS = ("records", "results", "inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call. `sent`, `got`: rows in the request's and in the answer's body."""

    method: str
    url: str
    status: int
    token: str | None
    body: str | None
    sent: int
    got: int

    @property
    def path(self) -> str:
        """Without host and query."""
        return urlsplit(self.url).path

    @property
    def is_of_job(self) -> bool:
        """Whether it is about a bulk job that is there already."""
        return "/jobs/query/" in self.path

    @property
    def is_login(self) -> bool:
        """Whether it asks for a token."""
        return self.path.endswith("/token")

    @property
    def writes(self) -> bool:
        """Whether it changes records."""
        if self.method == "POST":
            return self.path.endswith(("/batch/update", "/batch/upsert", "/batch/create"))
        return self.method in {"PATCH", "PUT", "DELETE"}

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """The calls that this process makes within the block, as they come."""
    calls: list[Exchange] = []
    of_requests, of_httpx = requests.Session.send, httpx.Client.send

    def send_requests(session: Any, request: Any, **kwargs: Any) -> Any:
        answer = of_requests(session, request, **kwargs)
        calls.append(_exchange(request, request.body, answer))
        return answer

    def send_httpx(client: Any, request: Any, **kwargs: Any) -> Any:
        answer = of_httpx(client, request, **kwargs)
        calls.append(_exchange(request, request.content, answer))
        return answer

    _put(send_requests, send_httpx)
    try:
        yield calls
    finally:
        _put(of_requests, of_httpx)


def _put(of_requests: Callable[..., Any], of_httpx: Callable[..., Any]) -> None:
    setattr(requests.Session, "send", of_requests)  # noqa: B010 - a type checker forbids the other
    setattr(httpx.Client, "send", of_httpx)  # noqa: B010 - likewise


def _exchange(request: Any, body: Any, answer: Any) -> Exchange:
    told = body.decode() if isinstance(body, bytes) else body
    return Exchange(
        method=request.method,
        url=str(request.url).replace("https://", "http://", 1),
        status=answer.status_code,
        token=request.headers.get("Authorization"),
        body=told or None,
        sent=_rows(told),
        got=_lines(answer.text) if is_csv(answer.headers) else _rows(answer.content),
    )


def is_csv(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a page of a bulk job."""
    return headers.get("Content-Type", "").startswith("text/csv")


def _lines(text: str) -> int:
    return max(0, sum(1 for _ in csv.reader(io.StringIO(text, newline=""))) - 1)


def _rows(content: Any) -> int:
    try:
        told = orjson.loads(content or b"null")
    except orjson.JSONDecodeError:  # a form, a package
        return 0
    if not isinstance(told, dict):
        return 0
    return sum(len(told[name]) for name in _ROWS if isinstance(told.get(name), list))
