"""One Salesforce org, as configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.budget import DEFAULT_SHARE, Budget
from connectors.errors import Fatal
from connectors.keeping import SecretKeeper, Unshared
from connectors.salesforce.auth import AdminSession, Logins, host_of
from connectors.salesforce.client import Client
from connectors.salesforce.doctor import SalesforceDoctor
from connectors.salesforce.grants import (
    Grant,
    OfClient,
    OfKey,
    OfRefreshToken,
)
from connectors.salesforce.reader import SalesforceReader
from connectors.salesforce.session import CrmSession
from connectors.salesforce.setup import SalesforceSetup
from connectors.salesforce.writer import SalesforceWriter

DEFAULT_API_VERSION = "66.0"
BY_ADMIN = "access_token"
CLIENT_CREDENTIALS = "client-credentials"
NEEDED: Mapping[str, tuple[str, ...]] = {
    CLIENT_CREDENTIALS: ("consumer_key", "consumer_secret"),
    "jwt": ("consumer_key", "username", "private_key"),
    "refresh-token": ("consumer_key", "consumer_secret", "refresh_token"),
    "session": ("session_id",),
}
"""The ways to sign in, and the secrets that each needs."""
_TOKEN_TIMEOUT_S = (5.0, 15.0)


@dataclass(frozen=True, slots=True)
class SalesforceConnection:
    """One org. Each part gets an HTTP session of its own. Raises `Fatal` where a setting
    is missing or can't be right. `keeper`: where a refresh token that rotates is kept.
    """

    config: Mapping[str, str]
    secret: Mapping[str, str] = field(repr=False)
    keeper: SecretKeeper | None = field(default=None, repr=False, compare=False)
    budget: Budget = field(init=False, repr=False, compare=False)
    _shared: Logins | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", Budget(_share(self.config.get("call_share"))))
        if not self.config.get("base_url"):
            raise Fatal("base_url: give the org's My Domain address")
        host_of(self.config["base_url"])
        if self.secret.get(BY_ADMIN) and not self.secret.get("consumer_key"):
            return
        for name in _needed(self._auth()):
            if not self.secret.get(name):
                raise Fatal(f"{name}: missing")

        if self._auth() == "refresh-token":
            # One for all parts: a token that rotates is good for one use. Sent once only, since
            # a second use revokes the grant; the caller may try again.
            session = CrmSession(budget=self.budget, attempts=1, timeout_s=_TOKEN_TIMEOUT_S)
            object.__setattr__(self, "_shared", self._logins(session))

    def reader(self) -> SalesforceReader:
        """A `connectors.base.Reader`."""
        return SalesforceReader(self._client())

    def writer(self) -> SalesforceWriter:
        """A `connectors.base.Writer`."""
        return SalesforceWriter(self._client())

    def setup(self) -> SalesforceSetup:
        """A `connectors.base.Setup`: installs as the admin whose token is given, for the user
        that Forestage runs as.
        """
        runtime = self._client()
        token = self.secret.get(BY_ADMIN)
        return SalesforceSetup(runtime, admin=self._of_admin(token) if token else runtime)

    def doctor(self) -> SalesforceDoctor:
        """A `connectors.base.Doctor`."""
        return SalesforceDoctor(self._client(), api_version=self._version(), budget=self.budget)

    def _client(self) -> Client:
        if self._auth() == "session":
            return self._of_admin(self.secret["session_id"])
        if not self.secret.get("consumer_key"):
            return self._of_admin(self.secret[BY_ADMIN])
        session = CrmSession(budget=self.budget)
        tokens = self._shared or self._logins(session)
        return Client(tokens, session, self._version())

    def _logins(self, session: CrmSession) -> Logins:
        base_url, secret = self.config["base_url"], self.secret
        if self._auth() == "jwt":
            grant: Grant = OfKey(
                consumer_key=secret["consumer_key"],
                username=secret["username"],
                audience=self.config.get("audience") or _login_page(base_url),
                private_key=secret["private_key"].replace("\\n", "\n"),
            )
        elif self._auth() == "refresh-token":
            grant = OfRefreshToken(self.keeper or Unshared(secret))
        else:
            grant = OfClient(secret["consumer_key"], secret["consumer_secret"])
        return Logins(session, base_url=base_url, grant=grant)

    def _auth(self) -> str:
        return self.config.get("auth") or CLIENT_CREDENTIALS

    def _of_admin(self, token: str) -> Client:
        tokens = AdminSession(base_url=self.config["base_url"], access_token=token)
        return Client(tokens, CrmSession(budget=self.budget), self._version())

    def _version(self) -> str:
        return (self.config.get("api_version") or DEFAULT_API_VERSION).removeprefix("v")


def _needed(auth: str) -> tuple[str, ...]:
    if auth not in NEEDED:
        raise Fatal(f"auth: {auth!r} is not one of {', '.join(NEEDED)}")
    return NEEDED[auth]


def _login_page(base_url: str) -> str:
    """Whom a JWT is for: the login page, that of sandboxes for a sandbox."""
    is_sandbox = ".sandbox.my." in base_url
    return f"https://{'test' if is_sandbox else 'login'}.salesforce.com"


def _share(told: str | None) -> float:
    try:
        return DEFAULT_SHARE if told is None else float(told)
    except ValueError:
        raise Fatal(f"call_share: {told!r} is not a number") from None
