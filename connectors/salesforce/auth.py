"""OAuth tokens of one connection, or a session that somebody else has begun."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from connectors.errors import Fatal, Reauthorise, Retry
from connectors.salesforce.faults import fault
from connectors.salesforce.grants import Grant, OfClient
from connectors.salesforce.session import LOOPBACK, CrmSession

_SALESFORCE_HOST = re.compile(r"(^|\.)(salesforce\.com|salesforce\.mil|sfcrmproducts\.cn)$")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the host that it is good for."""

    host: str
    value: str = field(repr=False)


class TokenProvider(Protocol):
    """Gives tokens; safe to share between threads."""

    def token(self) -> Token:
        """The present token, logging in where there is none. Raises `Reauthorise`."""
        ...

    def renew(self, stale: Token) -> Token:
        """A token other than `stale`. Raises `Reauthorise`."""
        ...


def host_of(base_url: str) -> str:
    """The host (and port) of a Salesforce address. Raises `Fatal` where it can't be right."""
    try:
        parts = urlsplit(base_url)
        name, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise Fatal(f"base_url: {error}") from None
    if name in LOOPBACK:
        return parts.netloc
    if name.endswith(".lightning.force.com"):
        raise Fatal(
            f"base_url: {name} is the address of the pages; give the My Domain address, "
            f"https://{name.partition('.')[0]}.my.salesforce.com"
        )
    if parts.scheme != "https" or not _SALESFORCE_HOST.search(name):
        raise Fatal("base_url: expected https://YOUR-DOMAIN.my.salesforce.com")
    if name in {"login.salesforce.com", "test.salesforce.com"}:
        raise Fatal("base_url: give the My Domain address, not the login page's")
    return parts.netloc


class Logins:
    """Tokens by a grant of an External Client App.

    Threads that find the same token stale cause one login between them. Credentials
    that were refused once are not tried again: a storm of logins locks the user out.
    """

    def __init__(self, session: CrmSession, *, base_url: str, grant: Grant) -> None:
        self._session = session
        self._host = host_of(base_url)
        self._grant = grant
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refused: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._host})"

    def token(self) -> Token:
        """The present token, logging in where there is none. Raises `Reauthorise`."""
        with self._lock:
            if self._token is None:
                self._token = self._log_in()
            return self._token

    def renew(self, stale: Token) -> Token:
        """A token other than `stale`. Raises `Reauthorise`."""
        with self._lock:
            if self._token is None or self._token.value == stale.value:
                self._token = self._log_in()
            return self._token

    def _log_in(self) -> Token:
        if self._refused:
            raise Reauthorise(self._refused)
        told = self._grant.ask(self._exchange, self._now)
        value, host = told.get("access_token"), urlsplit(told.get("instance_url") or "").netloc
        if not value or not host:
            raise Fatal(f"{self._host} answered the login without a token")
        return Token(host=host, value=value)

    def _exchange(self, form: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:
        """The answer of the token endpoint."""
        url = f"https://{self._host}/services/oauth2/token"
        answer = self._session.post(url, data=dict(form), headers=dict(headers))
        try:
            told: Any = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            # A proxy's or a maintenance page, not a verdict on the credentials.
            raise Retry(f"{self._host} answered the login with {answer.status_code}") from None
        if not isinstance(told, dict):
            # A list is what the API behind the login answers: no verdict on the credentials.
            raise fault(answer.status_code, told)
        if not answer.ok:
            self._refused = f"{self._host} refused the login: {told.get('error_description')}"
            raise Reauthorise(self._refused, code=str(told.get("error")))
        found: Mapping[str, Any] = told
        return found

    def _now(self) -> datetime:
        """The CRM's clock: ours may be wrong by more than an assertion lives."""
        self._session.get(f"https://{self._host}/services/data/")
        if self._session.seen_at is None:
            raise Fatal(f"{self._host} sends no Date header; a proxy between us takes it away")
        return self._session.seen_at


class ClientCredentials(Logins):
    """Tokens by the client-credentials flow: of the user that the app runs as."""

    def __init__(
        self, session: CrmSession, *, base_url: str, consumer_key: str, consumer_secret: str
    ) -> None:
        grant = OfClient(consumer_key, consumer_secret)
        super().__init__(session, base_url=base_url, grant=grant)


class AdminSession:
    """A session id, as of an admin for `setup`. It can't be renewed."""

    def __init__(self, *, base_url: str, access_token: str) -> None:
        self._token = Token(host=host_of(base_url), value=access_token)

    def token(self) -> Token:
        """The session as given."""
        return self._token

    def renew(self, stale: Token) -> Token:
        """Raises `Reauthorise` always."""
        raise Reauthorise(f"the session given for {stale.host} has ended; give a new one")
