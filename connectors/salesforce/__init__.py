"""The Salesforce connector."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.keeping import SecretKeeper

if TYPE_CHECKING:
    from connectors.salesforce.connection import SalesforceConnection


def connect(
    config: Mapping[str, str], secret: Mapping[str, str], keeper: SecretKeeper | None = None
) -> "SalesforceConnection":
    """A connection to one org, with `.reader()`, `.writer()`, `.setup()`; nothing is sent yet.

    config: `base_url` (https://acme.my.salesforce.com, or http://127.0.0.1:PORT for the
    sandbox), `api_version` (66.0), `auth` (client-credentials, jwt, refresh-token, session),
    `audience` (jwt: https://login.salesforce.com, for a sandbox https://test.salesforce.com).
    secret: `consumer_key` and `consumer_secret` of an External Client App; with jwt
    `consumer_key`, `username` and `private_key` (PEM); with refresh-token a `refresh_token`
    beside key and secret, which `keeper` keeps where it rotates; with session a `session_id`
    alone, which is good until it ends; for set-up an admin's `access_token` beside them, with which
    the package is installed for the user that the app runs as. A token alone is taken
    for everything, until it ends.
    Raises `connectors.errors.Fatal` where a setting is missing or can't be right.
    """
    # Half a second of vendor imports, for those commands alone that talk to Salesforce.
    from connectors.salesforce.connection import SalesforceConnection

    return SalesforceConnection(dict(config), dict(secret), keeper)
