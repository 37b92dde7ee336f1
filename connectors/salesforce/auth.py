"""OAuth tokens of one connection: client credentials, or an admin's session for set-up."""

import base64
import re
import threading
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import token_login

from connectors.errors import Fatal, Reauthorise, Retry
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
        raise Fatal("base_url: client credentials need the My Domain address, not the login page's")
    return parts.netloc


class ClientCredentials:
    """Tokens by the client-credentials flow of an External Client App.

    Threads that find the same token stale cause one login between them. Credentials
    that were refused once are not tried again: a storm of logins locks the user out.
    """

    def __init__(
        self, session: CrmSession, *, base_url: str, consumer_key: str, consumer_secret: str
    ) -> None:
        self._session = session
        self._host = host_of(base_url)
        self._key = consumer_key
        self._secret = consumer_secret
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refused: str | None = None

    def __repr__(self) -> str:
        return f"ClientCredentials({self._host})"

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
        pair = base64.b64encode(f"{self._key}:{self._secret}".encode()).decode()
        try:
            value, host = token_login(
                f"https://{self._host}/services/oauth2/token",
                {"grant_type": "client_credentials"},
                self._host,
                self._key,
                {"Authorization": f"Basic {pair}"},
                None,
                self._session,
            )
        except SalesforceAuthenticationFailed as refusal:
            if isinstance(refusal.code, int):
                # No JSON: a proxy's or a maintenance page, not a verdict on the credentials.
                raise Retry(f"{self._host} answered the login with {refusal.code}") from None
            self._refused = f"{self._host} refused the login: {refusal.auth_message}"
            raise Reauthorise(self._refused, code=str(refusal.code)) from None
        if not value or not host:
            raise Fatal(f"{self._host} answered the login without a token")
        return Token(host=host.rstrip("/"), value=value)


class AdminSession:
    """An admin's own session id, for `setup`. It can't be renewed."""

    def __init__(self, *, base_url: str, access_token: str) -> None:
        self._token = Token(host=host_of(base_url), value=access_token)

    def token(self) -> Token:
        """The session as given."""
        return self._token

    def renew(self, stale: Token) -> Token:
        """Raises `Reauthorise` always."""
        raise Reauthorise(f"the session given for {stale.host} has ended; give a new one")
