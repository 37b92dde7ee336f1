"""The calls to one HubSpot portal: one door, whichever API version is behind it.

Date-based paths go by httpx, since hubspot-api-client has none; the v3 family goes by that
client's own transport, without its model classes (27 to 59 times the time of orjson).
"""

import logging
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx
import orjson
import urllib3

from connectors.budget import Budget
from connectors.errors import Fatal, Reauthorise, Retry
from connectors.hubspot.auth import TokenProvider, is_loopback
from connectors.hubspot.faults import UNAUTHORISED, fault
from connectors.hubspot.limiter import Limiter
from connectors.patience import retrying

Row = dict[str, Any]
Params = Sequence[tuple[str, str]]

LEGACY = "v3"
CONNECT_S, READ_S = 10.0, 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, unread."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport(Protocol):
    """Sends one call. Raises `Retry` where no whole answer came."""

    def send(self, method: str, path: str, *, params: Params, body: Any, token: str) -> Answer:
        """The answer, whatever its status."""
        ...


class HttpxTransport:
    """The date-based paths."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            trust_env=not is_loopback(base_url),
        )
        # Readers and writers have no end of their own; sockets must not outlive them.
        weakref.finalize(self, self._http.close)

    def send(self, method: str, path: str, *, params: Params, body: Any, token: str) -> Answer:
        """The answer, whatever its status."""
        headers = {"Authorization": f"Bearer {token}"}
        content = None
        if body is not None:
            content = orjson.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            answer = self._http.request(
                method, path, params=list(params), content=content, headers=headers
            )
        except httpx.RequestError as trouble:
            raise _unreached(trouble) from None
        return Answer(answer.status_code, answer.headers, answer.content)


class SdkTransport:
    """The v3 family through hubspot-api-client: its connection pool, its addresses and its
    headers. It sets no time-out and reads no answer by itself.
    """

    def __init__(self, base_url: str) -> None:
        from hubspot import HubSpot
        from hubspot.crm.objects.exceptions import ApiException

        self._refusal: type[Exception] = ApiException
        # Held: each access to `.crm.objects` would build a client and a pool of its own.
        self._api = HubSpot(access_token="", host=base_url, retry=False).crm.objects.basic_api

    def send(self, method: str, path: str, *, params: Params, body: Any, token: str) -> Answer:
        """The answer, whatever its status."""
        api = self._api.api_client
        api.configuration.access_token = token
        try:
            answer = api.call_api(
                path,
                method,
                query_params=list(params),
                header_params={"Accept": "application/json"},
                body=body,
                auth_settings=["oauth2"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(CONNECT_S, READ_S),
            )
            return Answer(answer.status, answer.headers, answer.data)
        except self._refusal as refusal:
            told: Any = refusal
            if told.headers is None:
                raise _unreached(refusal) from None
            return Answer(told.status, told.headers, str(told.body or "").encode())
        except (urllib3.exceptions.HTTPError, UnicodeDecodeError) as trouble:
            raise _unreached(trouble) from None


class Client:
    """One portal's API. Raises `ConnectorError` only. Not for sharing between threads."""

    def __init__(
        self,
        tokens: TokenProvider,
        transport: Transport,
        *,
        api_version: str,
        budget: Budget | None = None,
        limiter: Limiter | None = None,
        waiter: Callable[[float], None] | None = None,
    ) -> None:
        self._tokens = tokens
        self._transport = transport
        self._version = api_version
        self._budget = budget or Budget()
        self._limiter = limiter or Limiter()
        self._retrying = retrying(waiter=waiter)
        self._calls = 0
        self._seen_at: datetime | None = None

    @property
    def calls(self) -> int:
        """HTTP requests sent, those for tokens and retries included."""
        return self._calls + self._tokens.calls

    @property
    def daily(self) -> tuple[int, int] | None:
        """Calls left today and calls a day, as HubSpot told them last; None for OAuth apps."""
        return self._limiter.daily

    def now(self) -> datetime:
        """HubSpot's clock at its last answer."""
        if self._seen_at is None:
            raise Fatal("HubSpot sends no Date header; a proxy between us takes it away")
        return self._seen_at

    def call(
        self, method: str, place: str, *, params: Params = (), body: Mapping[str, Any] | None = None
    ) -> Any:
        """The answer's JSON; None where it has none.

        `place` is `AREA/...` without versions: `objects/deals/search`, `owners`,
        `properties/deals`, `pipelines/deals`, `associations/deals/contacts/batch/read`,
        `account-info/details`. Every call that Forestage makes may be sent twice.
        """
        path = address(place, self._version)
        answer = self._retrying.copy()(self._attempt, method, path, params=params, body=body)
        if not answer.content:
            return None
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            # A proxy's or a maintenance page with status 200.
            raise Retry(f"no JSON in the answer: {answer.content[:100]!r}") from None

    def pages(self, place: str, *, params: Params = ()) -> Iterator[Mapping[str, Any]]:
        """The pages of a list, to the end. A page that says it is followed by itself ends it
        with `Retry`: the rows of another one would be missing.
        """
        after: str | None = None
        while True:
            asked = [*params, *([("after", after)] if after else [])]
            page = self.call("GET", place, params=asked)
            yield page
            told = next_after(page)
            if told is None:
                return
            if told == after:
                raise Retry(f"HubSpot told the same next page of {place} twice")
            after = told

    def _attempt(self, method: str, path: str, *, params: Params, body: Any) -> Answer:
        token = self._tokens.token()
        answer = self._send(method, path, params=params, body=body, token=token)
        if answer.status == UNAUTHORISED and isinstance(self._fault(answer), Reauthorise):
            token = self._tokens.renew(token)
            answer = self._send(method, path, params=params, body=body, token=token)
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own
            raise self._fault(answer)
        return answer

    def _send(self, method: str, path: str, *, params: Params, body: Any, token: str) -> Answer:
        self._budget.take()
        self._limiter.wait(is_search=path.endswith("/search"))
        self._calls += 1
        answer = self._transport.send(method, path, params=params, body=body, token=token)
        self._limiter.learn(answer.headers)
        if self._limiter.daily is not None:
            left, daily = self._limiter.daily
            self._budget.told(daily - left, daily)
        stamp = answer.headers.get("Date")
        if stamp:
            try:
                self._seen_at = parsedate_to_datetime(stamp).astimezone(UTC)
            except ValueError:
                _log.warning("unreadable Date header: %r", stamp)
        return answer

    @staticmethod
    def _fault(answer: Answer) -> Exception:
        return fault(answer.status, answer.headers, answer.content)


def address(place: str, version: str) -> str:
    """The path of a place: `/crm/v3/objects/deals`, or `/crm/objects/2026-09/deals`."""
    area, _, rest = place.partition("/")
    tail = f"/{rest}" if rest else ""
    if area == "account-info":
        return f"/account-info/{version}{tail}"
    if version != LEGACY:
        return f"/crm/{area}/{version}{tail}"
    # Associations of v3 know no labels.
    return f"/crm/{'v4' if area == 'associations' else LEGACY}/{area}{tail}"


def next_after(page: Mapping[str, Any]) -> str | None:
    """Where the next page of a list begins; None: there is none."""
    after = ((page.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def transport_for(base_url: str, api_version: str) -> Transport:
    """The transport that speaks a version."""
    return SdkTransport(base_url) if api_version == LEGACY else HttpxTransport(base_url)


def _unreached(trouble: Exception) -> Retry:
    # Named by type alone: the text of these errors repeats the URL.
    return Retry(f"HubSpot could not be reached ({type(trouble).__name__})")
