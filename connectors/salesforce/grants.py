"""OAuth grants: what an External Client App shows to get an access token."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import jwt

from connectors.errors import Fatal
from connectors.keeping import Secret, SecretKeeper

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFE = timedelta(minutes=3)  # Salesforce accepts no more

Exchange = Callable[[Mapping[str, str], Mapping[str, str]], Mapping[str, Any]]
"""Form and headers to the token endpoint's answer."""
Now = Callable[[], datetime]


class Grant(Protocol):
    """One way to an access token."""

    def ask(self, exchange: Exchange, now: Now) -> Mapping[str, Any]:
        """The answer of the token endpoint; `now` tells the CRM's clock, at the cost of a call."""
        ...


@dataclass(frozen=True, slots=True)
class OfClient:
    """Client credentials."""

    key: str
    secret: str = field(repr=False)

    def ask(self, exchange: Exchange, now: Now) -> Mapping[str, Any]:
        """See `Grant`."""
        del now
        pair = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        return exchange({"grant_type": "client_credentials"}, {"Authorization": f"Basic {pair}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKey:
    """JWT bearer: a user who has approved the app, vouched for by the app's private key."""

    consumer_key: str
    username: str
    audience: str
    private_key: str = field(repr=False)

    def ask(self, exchange: Exchange, now: Now) -> Mapping[str, Any]:
        """See `Grant`. Raises `Fatal` where the key can't sign."""
        claims = {
            "iss": self.consumer_key,
            "sub": self.username,
            "aud": self.audience,
            "exp": int((now() + _ASSERTION_LIFE).timestamp()),
        }
        try:
            assertion = jwt.encode(claims, self.private_key, algorithm="RS256")
        except (jwt.InvalidKeyError, ValueError, TypeError):
            # Without the library's own words, which may quote the key.
            raise Fatal("private_key: not an RSA private key in PEM without a passphrase") from None
        return exchange({"grant_type": _JWT_BEARER, "assertion": assertion}, {})


@dataclass(frozen=True, slots=True)
class OfRefreshToken:
    """Refresh token. With rotation each is good for one use, and using an old one again
    revokes the whole grant: so the new one is kept before the access token is used.
    """

    keeper: SecretKeeper

    def ask(self, exchange: Exchange, now: Now) -> Mapping[str, Any]:
        """See `Grant`."""
        del now
        answers: list[Mapping[str, Any]] = []

        def renew(secret: Secret) -> Secret:
            told = exchange(
                {
                    "grant_type": "refresh_token",
                    "client_id": secret["consumer_key"],
                    "client_secret": secret["consumer_secret"],
                    "refresh_token": secret["refresh_token"],
                },
                {},
            )
            answers.append(told)
            return {**secret, "refresh_token": told.get("refresh_token", secret["refresh_token"])}

        self.keeper.exchange(renew)
        return answers[-1]
