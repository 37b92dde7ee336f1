"""One Salesforce org, as configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.budget import DEFAULT_SHARE, Budget
from connectors.errors import Fatal
from connectors.salesforce.auth import AdminSession, ClientCredentials, host_of
from connectors.salesforce.client import Client
from connectors.salesforce.doctor import SalesforceDoctor
from connectors.salesforce.reader import SalesforceReader
from connectors.salesforce.session import CrmSession
from connectors.salesforce.setup import SalesforceSetup
from connectors.salesforce.writer import SalesforceWriter

DEFAULT_API_VERSION = "66.0"
BY_ADMIN = "access_token"


@dataclass(frozen=True, slots=True)
class SalesforceConnection:
    """One org. Each part gets an HTTP session of its own. Raises `Fatal` where a setting
    is missing or can't be right.
    """

    config: Mapping[str, str]
    secret: Mapping[str, str] = field(repr=False)
    budget: Budget = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", Budget(_share(self.config.get("call_share"))))
        if not self.config.get("base_url"):
            raise Fatal("base_url: give the org's My Domain address")
        host_of(self.config["base_url"])
        if self.secret.get(BY_ADMIN) and not self.secret.get("consumer_key"):
            return
        for name in ("consumer_key", "consumer_secret"):
            if not self.secret.get(name):
                raise Fatal(f"{name}: missing")

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
        if not self.secret.get("consumer_key"):
            return self._of_admin(self.secret[BY_ADMIN])
        session = CrmSession(budget=self.budget)
        tokens = ClientCredentials(
            session,
            base_url=self.config["base_url"],
            consumer_key=self.secret["consumer_key"],
            consumer_secret=self.secret["consumer_secret"],
        )
        return Client(tokens, session, self._version())

    def _of_admin(self, token: str) -> Client:
        tokens = AdminSession(base_url=self.config["base_url"], access_token=token)
        return Client(tokens, CrmSession(budget=self.budget), self._version())

    def _version(self) -> str:
        return (self.config.get("api_version") or DEFAULT_API_VERSION).removeprefix("v")


def _share(told: str | None) -> float:
    try:
        return DEFAULT_SHARE if told is None else float(told)
    except ValueError:
        raise Fatal(f"call_share: {told!r} is not a number") from None
