"""One Salesforce org, as configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.errors import Fatal
from connectors.salesforce.auth import AdminSession, ClientCredentials, TokenProvider, host_of
from connectors.salesforce.client import Client
from connectors.salesforce.reader import SalesforceReader
from connectors.salesforce.session import CrmSession
from connectors.salesforce.setup import SalesforceSetup
from connectors.salesforce.writer import SalesforceWriter

DEFAULT_API_VERSION = "66.0"


@dataclass(frozen=True, slots=True)
class SalesforceConnection:
    """One org. Each part gets an HTTP session of its own. Raises `Fatal` where a setting
    is missing or can't be right.
    """

    config: Mapping[str, str]
    secret: Mapping[str, str] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.config.get("base_url"):
            raise Fatal("base_url: give the org's My Domain address")
        host_of(self.config["base_url"])
        if not self.secret.get("access_token"):
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
        """A `connectors.base.Setup`; connect with an admin's credentials for it."""
        return SalesforceSetup(self._client(), run_as=self.config.get("run_as"))

    def _client(self) -> Client:
        session = CrmSession()
        version = self.config.get("api_version") or DEFAULT_API_VERSION
        return Client(self._tokens(session), session, version.removeprefix("v"))

    def _tokens(self, session: CrmSession) -> TokenProvider:
        base_url = self.config["base_url"]
        if self.secret.get("access_token"):
            return AdminSession(base_url=base_url, access_token=self.secret["access_token"])
        return ClientCredentials(
            session,
            base_url=base_url,
            consumer_key=self.secret["consumer_key"],
            consumer_secret=self.secret["consumer_secret"],
        )
