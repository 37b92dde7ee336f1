"""The HTTP session under simple-salesforce: time-outs, retries, counting, the CRM's clock.

The library itself sets no time-out, never retries, and hard-codes https.
"""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from tenacity import nap

from connectors.budget import Budget
from connectors.errors import Retry
from connectors.patience import ATTEMPTS, retry_after, retrying

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PASSING_STATUSES = frozenset({406, 420, 429, 500, 502, 503, 504})
TIMEOUT_S = (10.0, 130.0)  # connect, read; Salesforce itself ends a query after 120 s
_USAGE = re.compile(r"(?:^|;\s*)api-usage=(\d+)/(\d+)")
_log = logging.getLogger(__name__)


class _LoopbackAdapter(HTTPAdapter):
    """Sends https requests for loopback hosts as plain http, past any proxy."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(request.url or "")
        if isinstance(parts.hostname, str) and parts.hostname in LOOPBACK:
            request.url = str(urlunsplit(parts._replace(scheme="http")))
            kwargs["proxies"] = {}
        return super().send(request, *args, **kwargs)


class CrmSession(requests.Session):
    """A session that survives passing trouble and remembers what the CRM told beside the data.

    `calls`: requests sent, retries too. `usage`: the last `Sforce-Limit-Info`, as sent.
    `waiter` sleeps; a test gives its own. `budget` is asked before every call.
    """

    def __init__(
        self,
        *,
        budget: Budget | None = None,
        waiter: Callable[[float], None] | None = None,
        timeout_s: tuple[float, float] = TIMEOUT_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        super().__init__()
        adapter = _LoopbackAdapter(pool_maxsize=4)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        # Without an auth of its own requests would let a ~/.netrc replace our header.
        self.auth = _keep_headers
        self.headers["Accept-Encoding"] = "gzip"
        self.calls = 0
        self.budget = budget or Budget()
        self.usage: str | None = None
        self.seen_at: datetime | None = None
        self._timeout_s = timeout_s
        self._retrying = retrying(attempts=attempts, waiter=waiter)
        self.wait = waiter or nap.sleep

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Any:
        """Like `requests`, with a time-out always set and passing trouble retried.

        Every request that Forestage sends may be sent twice: reads, upserts by key,
        deletions by id, and a deployment of the same package.
        Raises `Retry` when trouble lasts.
        """
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout_s
        return self._retrying.copy()(self._attempt, method, url, *args, **kwargs)

    def _attempt(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        self.budget.take()
        self.calls += 1
        try:
            response = super().request(method, url, *args, **kwargs)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as trouble:
            # Named by type alone: the text of these errors repeats the URL.
            kind = type(trouble).__name__
            raise Retry(f"{_host(url)} could not be reached ({kind})") from None
        self._remember(response)
        if response.status_code in PASSING_STATUSES:
            raise Retry(
                f"{_host(url)} answered {response.status_code}: {response.text[:200]}",
                code=str(response.status_code),
                after=retry_after(response.headers),
            )
        return response

    def _remember(self, response: requests.Response) -> None:
        self.usage = response.headers.get("Sforce-Limit-Info", self.usage)
        if usage := _USAGE.search(response.headers.get("Sforce-Limit-Info", "")):
            self.budget.told(int(usage[1]), int(usage[2]))
        stamp = response.headers.get("Date")
        if stamp:
            try:
                self.seen_at = parsedate_to_datetime(stamp).astimezone(UTC)
            except ValueError:
                _log.warning("unreadable Date header: %r", stamp)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
