"""What Salesforce's error codes mean for Forestage.

The codes are those that public clients handle (airbyte, tap-salesforce, jsforce) and
those of the REST API guide. A code that is not listed is taken by its HTTP status.
"""

import re
from collections.abc import Mapping
from typing import Any

from connectors.errors import ConnectorError, Fatal, Reauthorise, Retry, Skip

LIMIT_PAUSE_S = 900.0
TIMEOUT_PAUSE_S = 60.0
LOST_QUERY = "INVALID_QUERY_LOCATOR"

_REAUTHORISE = {"INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "INVALID_LOGIN"}
_PAUSES = {
    "REQUEST_LIMIT_EXCEEDED": LIMIT_PAUSE_S,
    "TOO_MANY_REQUESTS": LIMIT_PAUSE_S,
    "QUERY_TIMEOUT": TIMEOUT_PAUSE_S,
    "SERVER_UNAVAILABLE": TIMEOUT_PAUSE_S,
    "UNABLE_TO_LOCK_ROW": None,
    "UNKNOWN_EXCEPTION": None,
    LOST_QUERY: None,
}
_SKIPS = {
    "INVALID_FIELD",
    "INVALID_TYPE",
    "INVALID_TYPE_FOR_OPERATION",
    "JSON_PARSER_ERROR",
    "NOT_FOUND",
}
_HINTS = {
    "API_DISABLED_FOR_ORG": "this edition or user has no API access",
    "API_CURRENTLY_DISABLED": "this edition or user has no API access",
    "OPERATION_TOO_LARGE": "the user that Forestage runs as needs View All Data to read activities",
    "TXN_SECURITY_METERING_ERROR": (
        "the user that Forestage runs as needs Exempt from Transaction Security"
    ),
}
_STATUS_HINTS = {410: "this API version is retired; set a newer api_version"}
_NO_COLUMN = re.compile(r"No such column '([^']+)'(?: on (?:entity|sobject of type) '?(\w+))?")
_NO_RELATION = re.compile(r"Didn't understand relationship '([^']+)'")
# Row errors that pass by themselves or with a smaller batch. Salesforce reports an Apex
# limit inside the message of CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY.
_ROW_RETRY_CODES = {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG"}
_ROW_RETRY_WORDS = re.compile(r"CPU time limit|UNABLE_TO_LOCK_ROW|Too many SOQL|LimitException")


def fault(status: int, content: Any) -> ConnectorError:
    """The error that an answer of Salesforce stands for.

    `content` is the parsed body: usually a list of {message, errorCode}, sometimes one
    such object, an OAuth error object, or text.
    """
    code, message = _words(content)
    text = f"Salesforce answered {status} {code or ''}: {message}".replace(" :", ":")
    if code in _PAUSES:
        return Retry(text, code=code, after=_PAUSES[code])
    if code in _SKIPS or status in {300, 404}:
        return Skip(text, code=code)
    if code in _REAUTHORISE or (status == 401 and "not valid for use" not in message):  # noqa: PLR2004
        return Reauthorise(text, code=code)
    hint = _HINTS.get(code or "") or _STATUS_HINTS.get(status)
    return Fatal(f"{text} ({hint})" if hint else text, code=code)


def is_missing(error: ConnectorError, sobject: str, name: str) -> bool:
    """Whether an INVALID_FIELD error of a query on `sobject` means its selected `name`.

    For `Contact.Title` Salesforce names the column `Title` and the other entity, or the
    relationship `Contact`.
    """
    *relations, column = name.casefold().split(".")
    relation = _NO_RELATION.search(str(error))
    if relation:
        return relation.group(1).casefold() in relations
    found = _NO_COLUMN.search(str(error))
    if not found or found.group(1).casefold() not in {column, name.casefold()}:
        return False
    is_own = (found.group(2) or sobject).casefold() == sobject.casefold()
    return is_own == (not relations) or "." in found.group(1)


def row_error(errors: list[Mapping[str, Any]]) -> tuple[str, bool]:
    """The CRM's own words for a refused row, and whether the row may be tried again."""
    words = "; ".join(
        f"{error.get('statusCode', 'ERROR')}: {error.get('message', '')}"
        + (f" [{', '.join(error['fields'])}]" if error.get("fields") else "")
        for error in errors
    )
    again = any(error.get("statusCode") in _ROW_RETRY_CODES for error in errors)
    return words or "refused without a reason", again or bool(_ROW_RETRY_WORDS.search(words))


def _words(content: Any) -> tuple[str | None, str]:
    first = content[0] if isinstance(content, list) and content else content
    if isinstance(first, Mapping):
        code = first.get("errorCode") or first.get("error")
        message = first.get("message") or first.get("error_description") or ""
        return (str(code) if code else None), str(message)[:500]
    if isinstance(first, bytes):
        first = first.decode(errors="replace")
    return None, str(first or "no text")[:200]
