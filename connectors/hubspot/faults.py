"""What HubSpot's error answers mean for Forestage.

Statuses and categories are those of HubSpot's error-handling page and of public clients
(hubspot-api-client, airbyte, tap-hubspot). What is not listed is a bug or a setting.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors.errors import ConnectorError, Fatal, Reauthorise, Retry, Skip
from connectors.patience import retry_after

MISSING_SCOPES = "MISSING_SCOPES"
NO_PROPERTY = "PROPERTY_DOESNT_EXIST"
DAILY_PAUSE_S = 3600.0  # the day ends at the portal's midnight; one look an hour
LOCK_PAUSE_S = 2.0
WINDOW_PAUSE_S = 10.0
SEARCH_PAUSE_S = 1.0
MIGRATION_PAUSE_S = 900.0

UNAUTHORISED, FORBIDDEN, TOO_LONG, LOCKED, TOO_MANY, MIGRATING = 401, 403, 414, 423, 429, 477
_SERVER_TROUBLE = 500
_ONE_ROW = {400, 404, 409}  # this call's own content: the next one may pass
_TIMED_OUT = 408
# Categories of a batch's row errors that pass by themselves.
_ROW_RETRIES = {"RATE_LIMIT", "RATE_LIMITS", "LOCKED", "CONFLICT", "SERVER_ERROR", "TIMEOUT"}


def fault(status: int, headers: Mapping[str, str], content: bytes) -> ConnectorError:
    """The error that an answer of HubSpot stands for."""
    body = _body(content)
    code = _code(body)
    words = str(body.get("message") or content[:200].decode(errors="replace") or "no text")[:500]
    text = f"HubSpot answered {status} {code or ''}: {words}".replace(" :", ":")
    if status == UNAUTHORISED:
        return Reauthorise(text, code=code)
    if status == FORBIDDEN and code == MISSING_SCOPES:
        scopes = " or ".join(missing_scopes(body))
        return Skip(f"the token lacks the scope {scopes or words}", code=code)
    if status in (TOO_MANY, LOCKED, MIGRATING, _TIMED_OUT) or status >= _SERVER_TROUBLE:
        return Retry(text, code=code or str(status), after=_pause(status, headers, body))
    if status in _ONE_ROW:
        return Skip(text, code=code)
    if status == TOO_LONG:
        text = f"{text} (too many properties were asked for in one address)"
    return Fatal(text, code=code)


def missing_scopes(body: Mapping[str, Any]) -> Sequence[str]:
    """The scopes of which a refused call needed one."""
    return [
        str(scope)
        for error in body.get("errors") or ()
        for scope in (error.get("context") or {}).get("requiredGranularScopes") or ()
    ]


def row_error(error: Mapping[str, Any]) -> tuple[str, bool]:
    """HubSpot's own words for a refused row of a batch, and whether it may be tried again."""
    category = str(error.get("category") or "ERROR")
    words = f"{category}: {error.get('message') or 'refused without a reason'}"
    return words[:1000], category in _ROW_RETRIES


def _pause(status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> float | None:
    """Seconds to wait: as told, else by what the limit is known to be."""
    told = retry_after(headers)
    if status == TOO_MANY:
        policy = str(body.get("policyName") or "")
        if policy == "DAILY":
            return max(told or 0.0, DAILY_PAUSE_S)
        if told is not None:
            return told
        is_search = policy == "SECONDLY" or "secondly limit" in str(body.get("message"))
        rolling = policy.startswith("TEN_SECONDLY") or "ten_secondly" in str(body.get("message"))
        return SEARCH_PAUSE_S if is_search and not rolling else WINDOW_PAUSE_S
    if status == MIGRATING:
        return MIGRATION_PAUSE_S if told is None else told
    return LOCK_PAUSE_S if told is None and status == LOCKED else told


def _code(body: Mapping[str, Any]) -> str | None:
    """The most telling code: of the first detail, else the category or type."""
    details = body.get("errors") or ()
    first = details[0].get("code") if details else None
    code = first or body.get("category") or body.get("errorType")
    return str(code) if code else None


def _body(content: bytes) -> Mapping[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
