"""Signing in: OAuth tokens and the SOAP login, with credentials fixed for the sandbox."""

import base64
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import jwt

from connectors.sandbox.loopback import Request, Response, reply_json

CONSUMER_KEY = "forestage-sandbox"
CONSUMER_SECRET = "forestage-sandbox-secret"  # noqa: S105 -- opens nothing but this sandbox
USER_PASSWORD = "forestage-sandbox-password"  # noqa: S105 -- same
REFRESH_TOKEN = "forestage-sandbox-refresh"  # noqa: S105 -- same
SESSION_LIFE = timedelta(hours=2)
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GRANTS = ("client_credentials", "password", "refresh_token", _JWT_BEARER)
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_LONGEST_ASSERTION_S = 300


@dataclass(slots=True)
class _Grant:
    """What one sign-in has led to: its access tokens end with it."""

    access: set[str] = field(default_factory=set)


class Tokens:
    """Access and refresh tokens given out. Thread-safe.

    `rotates`: a refresh token is good for one use; one that is used again ends its grant.
    A session ends `SESSION_LIFE` of the sandbox's own time after its last call.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.rotates = False
        self.public_key: str | None = None
        self._now = now
        self._ends: dict[str, datetime] = {}
        self._grants: dict[str, _Grant] = {REFRESH_TOKEN: _Grant()}
        self._used: dict[str, _Grant] = {}
        self._lock = threading.Lock()

    @property
    def now(self) -> datetime:
        """The sandbox's present."""
        return self._now()

    def issue(self, organisation: str) -> str:
        """A new access token."""
        token = f"{organisation[:15]}!{secrets.token_urlsafe(48)}"
        with self._lock:
            self._ends[token] = self._now() + SESSION_LIFE
        return token

    def issue_refresh(self, access: str) -> str:
        """A new refresh token, beside the access token of the same sign-in."""
        with self._lock:
            return self._new_refresh(_Grant({access}))

    def refresh(self, token: str, organisation: str) -> tuple[str, str | None] | None:
        """A new access token, and a new refresh token where they rotate; None: refused."""
        with self._lock:
            if token in self._used:
                self._end(self._used[token])
            grant = self._grants.get(token)
            if grant is None:
                return None
            if self.rotates:
                self._used[token] = self._grants.pop(token)
        access = self.issue(organisation)
        with self._lock:
            grant.access.add(access)
            return access, (self._new_refresh(grant) if self.rotates else None)

    def is_good(self, token: str) -> bool:
        """Whether calls with it are served; this one counts as its last."""
        with self._lock:
            end, now = self._ends.get(token), self._now()
            if end is None or end < now:
                self._ends.pop(token, None)
                return False
            self._ends[token] = now + SESSION_LIFE
            return True

    def revoke(self, token: str) -> None:
        """No longer good."""
        with self._lock:
            self._ends.pop(token, None)
            self._grants.pop(token, None)

    def revoke_all(self) -> None:
        """End every session."""
        with self._lock:
            self._ends.clear()

    def _new_refresh(self, grant: _Grant) -> str:
        token = f"5Aep{secrets.token_urlsafe(32)}"
        self._grants[token] = grant
        return token

    def _end(self, grant: _Grant) -> None:
        self._grants = {token: each for token, each in self._grants.items() if each is not grant}
        for access in grant.access:
            self._ends.pop(access, None)


def bearer(request: Request) -> str:
    """The token that a call carries, empty if none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in ("bearer", "oauth") else ""


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Consumer key and secret, from a Basic header or the form."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            text = base64.b64decode(encoded).decode()
        except ValueError:
            return "", ""
        key, _, secret = text.partition(":")
        return unquote_plus(key), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


def _refuse(error: str, description: str) -> Response:
    return reply_json({"error": error, "error_description": description}, 400)


def token(
    request: Request, tokens: Tokens, *, base_url: str, organisation: str, user: str, username: str
) -> Response:
    """`POST /services/oauth2/token`."""
    form = {**request.query, **request.form()}
    grant = form.get("grant_type", "")
    if grant not in _GRANTS:
        return _refuse("unsupported_grant_type", "grant type not supported")
    refusal = _of_client(request, form) if grant != _JWT_BEARER else None
    refusal = refusal or _of_grant(grant, form, tokens, username)
    if refusal is not None:
        return refusal
    refresh: str | None = None
    if grant == "refresh_token":
        given = tokens.refresh(form.get("refresh_token", ""), organisation)
        if given is None:
            return _refuse("invalid_grant", "expired access/refresh token")
        access, refresh = given
    else:
        access = tokens.issue(organisation)
        refresh = tokens.issue_refresh(access) if grant == "password" else None
    body: dict[str, Any] = {
        "access_token": access,
        "signature": secrets.token_urlsafe(32),
        "scope": "api",
        "instance_url": base_url,
        "id": f"{base_url}/id/{organisation}/{user}",
        "token_type": "Bearer",
        "issued_at": str(int(tokens.now.timestamp() * 1000)),
    }
    if refresh is not None:
        body["refresh_token"] = refresh
    return reply_json(body, Cache_Control="no-cache, no-store")


def _of_client(request: Request, form: dict[str, str]) -> Response | None:
    key, secret = _client(request, form)
    if key != CONSUMER_KEY:
        return _refuse("invalid_client_id", "client identifier invalid")
    if secret != CONSUMER_SECRET:
        return _refuse("invalid_client", "invalid client credentials")
    return None


def _of_grant(grant: str, form: dict[str, str], tokens: Tokens, username: str) -> Response | None:
    if grant == "password" and form.get("password") != USER_PASSWORD:
        return _refuse("invalid_grant", "authentication failure")
    if grant == _JWT_BEARER:
        return _of_assertion(form.get("assertion", ""), tokens, username)
    return None


def _of_assertion(assertion: str, tokens: Tokens, username: str) -> Response | None:
    """Whether an assertion is signed with the key that the app knows, fresh, and for us."""
    try:
        claims = jwt.decode(
            assertion,
            tokens.public_key or "",
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_aud": False},
        )
        expires = float(claims.get("exp", 0))
    except (jwt.PyJWTError, ValueError):
        return _refuse("invalid_grant", "invalid assertion")
    if claims.get("iss") != CONSUMER_KEY:
        return _refuse("invalid_client_id", "client identifier invalid")
    if claims.get("aud") not in _AUDIENCES:
        return _refuse("invalid_grant", "audience is invalid")
    if not 0 < expires - tokens.now.timestamp() <= _LONGEST_ASSERTION_S:
        return _refuse("invalid_grant", "expired authorization code")
    if claims.get("sub") != username:
        return _refuse("invalid_grant", "user hasn't approved this consumer")
    return None
