"""The HubSpot connector."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.keeping import SecretKeeper

if TYPE_CHECKING:
    from connectors.hubspot.connection import HubSpotConnection


def connect(
    config: Mapping[str, Any], secret: Mapping[str, str], keeper: SecretKeeper | None = None
) -> "HubSpotConnection":
    """A connection to one portal, with `.reader()`, `.writer()`, `.setup()`; nothing is sent yet.

    config: `base_url` (https://api.hubapi.com unless given; http://127.0.0.1:PORT for the
    sandbox), `api_version` (2026-09; v3 speaks the older paths through HubSpot's own
    client), `managers` (`team:<id or name>` or `owner:<id or e-mail>` -> the manager's owner
    id or e-mail: HubSpot itself has no managers), `fiscal_year_start_month` (1 to 12: the
    API does not tell it), `call_share` (of the day's calls, 0.25).
    secret: `access_token` of a service key or app; or `client_id`, `client_secret` and
    `refresh_token` of an OAuth app. An admin's `access_token` beside the three is used for
    set-up alone. `keeper` keeps a refresh token that HubSpot gives anew.
    Raises `connectors.errors.Fatal` where a setting is missing or can't be right.
    """
    # A quarter of a second of vendor imports, for those commands alone that need them.
    from connectors.hubspot.connection import HubSpotConnection

    return HubSpotConnection(dict(config), dict(secret), keeper)
