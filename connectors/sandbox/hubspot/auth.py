"""Tokens and what they may do: static ones, and OAuth's that end after 30 minutes."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.clock import SandboxClock
from connectors.sandbox.hubspot.errors import ApiError
from connectors.sandbox.hubspot.load_setup import PORTAL_ID
from connectors.sandbox.hubspot.records import APP_ID
from connectors.sandbox.loopback import Request, Response, reply_json

CLIENT_ID = "forestage-sandbox"
CLIENT_SECRET = "forestage-sandbox-secret"  # noqa: S105 -- opens nothing but this sandbox
REFRESH_TOKEN = "forestage-sandbox-refresh"  # noqa: S105 -- same
CODE = "forestage-sandbox-code"
LIFETIME = timedelta(minutes=30)
_OBJECTS = ("contacts", "companies", "deals", "owners")
SCOPES = frozenset(
    [f"crm.objects.{name}.{way}" for name in _OBJECTS[:3] for way in ("read", "write")]
    + [f"crm.schemas.{name}.{way}" for name in _OBJECTS[:3] for way in ("read", "write")]
    + ["crm.objects.owners.read", "crm.objects.users.read", "oauth", "sales-email-read"]
    + ["settings.users.read", "settings.users.teams.read"]
)
STATIC = {
    "pat-sandbox-forestage": SCOPES,
    "pat-sandbox-read-only": frozenset(each for each in SCOPES if not each.endswith(".write")),
    "pat-sandbox-deals-only": frozenset(
        {"crm.objects.deals.read", "crm.objects.owners.read", "crm.schemas.deals.read"}
    ),
    "pat-sandbox-no-schemas": frozenset(each for each in SCOPES if ".schemas." not in each),
}
_NOT_FOUND = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you "
    "can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
_INVALID = "INVALID_AUTHENTICATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token stands for."""

    app: str
    scopes: frozenset[str]
    is_static: bool
    expires_at: datetime | None = None


class Tokens:
    """Tokens that are good, by the sandbox's clock. Thread-safe."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._grants = {
            token: Grant(app=f"static:{token}", scopes=scopes, is_static=True)
            for token, scopes in STATIC.items()
        }

    def issue(self) -> str:
        """A new OAuth access token."""
        token = f"CSb{secrets.token_urlsafe(48)}"
        expires_at = self._clock.now() + LIFETIME
        with self._lock:
            self._grants[token] = Grant(
                app=APP_ID, scopes=SCOPES, is_static=False, expires_at=expires_at
            )
        return token

    def add_static(self, token: str, scopes: frozenset[str]) -> None:
        """A further static token."""
        with self._lock:
            self._grants[token] = Grant(app=f"static:{token}", scopes=scopes, is_static=True)

    def revoke_oauth(self) -> None:
        """End every OAuth access token."""
        with self._lock:
            self._grants = {token: each for token, each in self._grants.items() if each.is_static}

    def grant(self, request: Request) -> Grant:
        """What a call's token stands for; ApiError 401 if it is missing, unknown or over."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise ApiError(401, _INVALID, _NOT_FOUND)
        with self._lock:
            grant = self._grants.get(token.strip())
        if grant is None:
            raise ApiError(401, _INVALID, _NOT_FOUND)
        now = self._clock.now()
        if grant.expires_at is not None and grant.expires_at <= now:
            ago = int((now - grant.expires_at).total_seconds())
            message = f"The OAuth token used to make this call expired {ago} second(s) ago."
            raise ApiError(401, "EXPIRED_AUTHENTICATION", message)
        return grant

    def told(self, token: str) -> Grant | None:
        """What a token stands for, None if it is over."""
        with self._lock:
            grant = self._grants.get(token)
        if grant is None or (grant.expires_at or self._clock.now()) < self._clock.now():
            return None
        return grant


def check_scopes(grant: Grant, any_of: frozenset[str]) -> None:
    """ApiError 403 unless the token has one of the scopes."""
    if any_of and not any_of & grant.scopes:
        message = (
            "This app hasn't been granted all required scopes to make this call. Read more "
            "about required scopes here: https://developers.hubspot.com/scopes."
        )
        detail = {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": sorted(any_of)},
        }
        raise ApiError(403, "MISSING_SCOPES", message, errors=[detail])


def token(request: Request, tokens: Tokens) -> Response:
    """`POST .../token`: RFC 6749's errors beside HubSpot's own."""
    form = request.form()
    grant_type = form.get("grant_type", "")
    if form.get("client_id") != CLIENT_ID:
        return _refuse("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
    if form.get("client_secret") != CLIENT_SECRET:
        return _refuse("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret")
    if grant_type == "refresh_token":
        if form.get("refresh_token") != REFRESH_TOKEN:
            message = "missing or invalid refresh token"
            return _refuse("invalid_grant", "BAD_REFRESH_TOKEN", message)
    elif grant_type == "authorization_code":
        if form.get("code") != CODE:
            return _refuse("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
    else:
        return _refuse("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type")
    return reply_json(
        {
            "token_type": "bearer",
            "access_token": tokens.issue(),
            "refresh_token": REFRESH_TOKEN,
            "expires_in": int(LIFETIME.total_seconds()),
            "hub_id": PORTAL_ID,
            "scopes": sorted(SCOPES),
        }
    )


def introspect(told: Mapping[str, str], access_token: str, tokens: Tokens) -> Response:
    """What a token stands for: `GET /oauth/v1/access-tokens/{token}`, `POST .../introspect`."""
    grant = tokens.told(access_token or told.get("token", ""))
    if grant is None:
        return reply_json({"active": False}, 200 if told else 404)
    return reply_json(
        {
            "active": True,
            "token": access_token or told.get("token", ""),
            "user": "integration@forestage.sandbox",
            "hub_domain": "fernhill.example",
            "scopes": sorted(grant.scopes),
            "hub_id": PORTAL_ID,
            "app_id": int(APP_ID),
            "expires_in": int(LIFETIME.total_seconds()),
            "token_type": "access",
        }
    )


def _refuse(error: str, status: str, message: str) -> Response:
    body: dict[str, Any] = {
        "error": error,
        "error_description": message,
        "status": status,
        "message": message,
        "correlationId": secrets.token_hex(16),
    }
    return reply_json(body, 400)
