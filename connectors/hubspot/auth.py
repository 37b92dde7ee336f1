"""Access tokens of one portal: a static one, or OAuth's that are renewed."""

import threading
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import orjson

from connectors.errors import Fatal, Reauthorise, Retry
from connectors.keeping import Secret, SecretKeeper
from connectors.patience import retry_after

DEFAULT_BASE_URL = "https://api.hubapi.com"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# OAuth v1, which hubspot-api-client speaks, ends in February 2027; this is its successor.
TOKEN_PATH = "/oauth/2026-09/token"  # noqa: S105 - a path
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PASSING = 500


class TokenProvider(Protocol):
    """Gives tokens; safe to share between threads. `calls` counts what it sent."""

    @property
    def calls(self) -> int:
        """HTTP calls made for tokens."""
        ...

    def token(self) -> str:
        """The present token, asked for where there is none. Raises `Reauthorise`, `Retry`."""
        ...

    def renew(self, stale: str) -> str:
        """A token other than `stale`. Raises `Reauthorise`, `Retry`."""
        ...


def base_of(base_url: str | None) -> str:
    """The API's address without a path. Raises `Fatal` where it can't be right."""
    parts = urlsplit(base_url or DEFAULT_BASE_URL)
    name = parts.hostname or ""
    if name in LOOPBACK and parts.scheme == "http":
        return f"http://{parts.netloc}"
    is_api = name == "api.hubapi.com" or name.endswith(".hubapi.com")
    if parts.scheme != "https" or not is_api:
        raise Fatal(f"base_url: expected {DEFAULT_BASE_URL}")
    return f"https://{parts.netloc}"


def is_loopback(base_url: str) -> bool:
    """Whether an address is this machine's own, which no proxy must come between."""
    return (urlsplit(base_url).hostname or "") in LOOPBACK


@dataclass(frozen=True, slots=True)
class StaticToken:
    """The token of a service key or app. It can't be renewed."""

    value: str = field(repr=False)
    calls: int = 0

    def token(self) -> str:
        """The token as given."""
        return self.value

    def renew(self, stale: str) -> str:
        """Raises `Reauthorise` always."""
        del stale
        raise Reauthorise("HubSpot no longer accepts the access token; give a new one")


class RefreshedTokens:
    """Tokens of an OAuth app, good for 30 minutes each.

    Threads that find the same token stale cause one renewal between them. A refresh token
    that was refused once is not tried again; one that HubSpot gives anew is kept by `keeper`,
    whose secret has `client_id`, `client_secret` and `refresh_token`.
    """

    def __init__(self, base_url: str, keeper: SecretKeeper) -> None:
        self._url = base_url + TOKEN_PATH
        self._keeper = keeper
        self._lock = threading.Lock()
        self._token: str | None = None
        self._refused: str | None = None
        self._calls = 0

    def __repr__(self) -> str:
        return f"RefreshedTokens({self._url})"

    @property
    def calls(self) -> int:
        """HTTP calls made for tokens."""
        return self._calls

    def token(self) -> str:
        """The present token, asked for where there is none."""
        with self._lock:
            if self._token is None:
                self._token = self._refresh()
            return self._token

    def renew(self, stale: str) -> str:
        """A token other than `stale`."""
        with self._lock:
            if self._token is None or self._token == stale:
                self._token = self._refresh()
            return self._token

    def _refresh(self) -> str:
        if self._refused:
            raise Reauthorise(self._refused)
        told: dict[str, str] = {}

        def renew(secret: Secret) -> Secret:
            told.update(self._ask(secret))
            return {**secret, "refresh_token": told["refresh_token"]}

        self._keeper.exchange(renew)
        return told["access_token"]

    def _ask(self, secret: Secret) -> dict[str, str]:
        self._calls += 1
        names = ("client_id", "client_secret", "refresh_token")
        form = {"grant_type": "refresh_token", **{name: secret[name] for name in names}}
        try:
            answer = httpx.post(
                self._url, data=form, timeout=_TIMEOUT, trust_env=not is_loopback(self._url)
            )
        except httpx.RequestError as trouble:
            kind = type(trouble).__name__
            raise Retry(f"HubSpot could not be reached for a token ({kind})") from None
        told = self._taken(answer)
        return {
            "access_token": str(told["access_token"]),
            "refresh_token": str(told.get("refresh_token") or secret["refresh_token"]),
        }

    def _taken(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code >= _PASSING or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Retry(
                f"HubSpot answered {answer.status_code} instead of a token",
                code=str(answer.status_code),
                after=retry_after(answer.headers),
            )
        try:
            told = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            # A proxy's or a maintenance page, not a verdict on the credentials.
            raise Retry(f"HubSpot answered {answer.status_code} instead of a token") from None
        if not answer.is_success:
            code = told.get("status") or told.get("error")
            words = told.get("error_description") or told.get("message") or ""
            self._refused = f"HubSpot refused the refresh token: {words}"
            raise Reauthorise(self._refused, code=str(code) if code else None)
        if not told.get("access_token"):
            raise Fatal("HubSpot answered without a token")
        return dict(told)
