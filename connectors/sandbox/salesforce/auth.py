"""Signing in: OAuth tokens and the SOAP login, with credentials fixed for the sandbox."""

import base64
import secrets
import threading
from typing import Any
from urllib.parse import unquote_plus

from connectors.sandbox.loopback import Request, Response, reply_json

CONSUMER_KEY = "forestage-sandbox"
CONSUMER_SECRET = "forestage-sandbox-secret"  # noqa: S105 -- opens nothing but this sandbox
USER_PASSWORD = "forestage-sandbox-password"  # noqa: S105 -- same
_GRANTS = ("client_credentials", "password", "refresh_token")


class Tokens:
    """Access tokens given out and still good. Thread-safe."""

    def __init__(self) -> None:
        self._good: set[str] = set()
        self._refresh: set[str] = set()
        self._lock = threading.Lock()

    def issue(self, organisation: str) -> str:
        """A new access token."""
        token = f"{organisation[:15]}!{secrets.token_urlsafe(48)}"
        with self._lock:
            self._good.add(token)
        return token

    def issue_refresh(self) -> str:
        """A new refresh token."""
        token = f"5Aep{secrets.token_urlsafe(32)}"
        with self._lock:
            self._refresh.add(token)
        return token

    def is_good(self, token: str) -> bool:
        """Whether calls with it are served."""
        with self._lock:
            return token in self._good

    def may_refresh(self, token: str) -> bool:
        """Whether it is a refresh token of ours."""
        with self._lock:
            return token in self._refresh

    def revoke(self, token: str) -> None:
        """No longer good."""
        with self._lock:
            self._good.discard(token)
            self._refresh.discard(token)

    def revoke_all(self) -> None:
        """End every session."""
        with self._lock:
            self._good.clear()


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
    request: Request, tokens: Tokens, *, base_url: str, organisation: str, user: str, at_ms: int
) -> Response:
    """`POST /services/oauth2/token`."""
    form = {**request.query, **request.form()}
    grant = form.get("grant_type", "")
    if grant not in _GRANTS:
        return _refuse("unsupported_grant_type", "grant type not supported")
    key, secret = _client(request, form)
    if key != CONSUMER_KEY:
        return _refuse("invalid_client_id", "client identifier invalid")
    if secret != CONSUMER_SECRET:
        return _refuse("invalid_client", "invalid client credentials")
    if grant == "password" and form.get("password") != USER_PASSWORD:
        return _refuse("invalid_grant", "authentication failure")
    if grant == "refresh_token" and not tokens.may_refresh(form.get("refresh_token", "")):
        return _refuse("invalid_grant", "expired access/refresh token")
    body: dict[str, Any] = {
        "access_token": tokens.issue(organisation),
        "signature": secrets.token_urlsafe(32),
        "scope": "api",
        "instance_url": base_url,
        "id": f"{base_url}/id/{organisation}/{user}",
        "token_type": "Bearer",
        "issued_at": str(at_ms),
    }
    if grant == "password":
        body["refresh_token"] = tokens.issue_refresh()
    return reply_json(body, Cache_Control="no-cache, no-store")
