"""One HubSpot portal, as configured."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.budget import Budget
from connectors.errors import Fatal
from connectors.hubspot.auth import RefreshedTokens, StaticToken, TokenProvider, base_of
from connectors.hubspot.client import Client, transport_for
from connectors.hubspot.doctor import HubSpotDoctor
from connectors.hubspot.reader import HubSpotReader
from connectors.hubspot.setup import HubSpotSetup
from connectors.hubspot.structure import Portal
from connectors.hubspot.writer import HubSpotWriter
from connectors.keeping import SecretKeeper, Unshared

DEFAULT_API_VERSION = "2026-09"
_OAUTH = ("client_id", "client_secret", "refresh_token")
_VERSION = re.compile(r"v3|20\d\d-(03|09)")
_MANAGED = re.compile(r"(team|owner):.+")
_MONTHS = range(1, 13)


@dataclass(frozen=True, slots=True)
class HubSpotConnection:
    """One portal. Each part gets a client of its own. Raises `Fatal` where a setting is
    missing or can't be right.
    """

    config: Mapping[str, Any]
    secret: Mapping[str, str] = field(repr=False)
    keeper: SecretKeeper | None = field(default=None, repr=False, compare=False)
    budget: Budget = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", Budget.of(self.config.get("call_share")))
        base_of(self.config.get("base_url"))
        if not _VERSION.fullmatch(self._version()):
            raise Fatal(f"api_version: {self._version()!r} is neither v3 nor like 2026-09")
        self._portal()
        if any(self.secret.get(name) for name in _OAUTH):
            for name in _OAUTH:
                if not self.secret.get(name):
                    raise Fatal(f"{name}: missing")
        elif not self.secret.get("access_token"):
            raise Fatal("access_token: missing")

    def reader(self) -> HubSpotReader:
        """A `connectors.base.Reader`."""
        return HubSpotReader(self._client(), self._portal())

    def writer(self) -> HubSpotWriter:
        """A `connectors.base.Writer`."""
        return HubSpotWriter(self._client(), self._portal())

    def setup(self) -> HubSpotSetup:
        """A `connectors.base.Setup`, with an admin's token where one is given beside OAuth's."""
        token = self.secret.get("access_token")
        admin = self._client_with(StaticToken(token)) if token else self._client()
        return HubSpotSetup(admin)

    def doctor(self) -> HubSpotDoctor:
        """A `connectors.base.Doctor`."""
        return HubSpotDoctor(
            self._client(),
            api_version=self._version(),
            portal=self._portal(),
            budget=self.budget,
        )

    def _client(self) -> Client:
        if not self.secret.get("refresh_token"):
            return self._client_with(StaticToken(self.secret["access_token"]))
        keeper = self.keeper or Unshared(self.secret)
        return self._client_with(RefreshedTokens(self._base_url(), keeper))

    def _client_with(self, tokens: TokenProvider) -> Client:
        transport = transport_for(self._base_url(), self._version())
        return Client(tokens, transport, api_version=self._version(), budget=self.budget)

    def _base_url(self) -> str:
        return base_of(self.config.get("base_url"))

    def _version(self) -> str:
        return str(self.config.get("api_version") or DEFAULT_API_VERSION)

    def _portal(self) -> Portal:
        managers = self.config.get("managers") or {}
        wrong = [key for key in managers if not _MANAGED.fullmatch(key)]
        if wrong:
            raise Fatal(f"managers: {wrong[0]!r} is neither team:... nor owner:...")
        month = str(self.config.get("fiscal_year_start_month") or 1)
        if not month.isdigit() or int(month) not in _MONTHS:
            raise Fatal(f"fiscal_year_start_month: {month!r} is no month from 1 to 12")
        return Portal(managers=dict(managers), fiscal_year_start_month=int(month))
