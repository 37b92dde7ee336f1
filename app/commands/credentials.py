"""What each vendor wants to know of a connection: its settings, and secrets that are never
arguments.
"""

import csv
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.commands.screen import secret_from
from app.errors import BadInput

SALESFORCE_VERSION = "66.0"
CLIENT_CREDENTIALS = "client-credentials"
SALESFORCE_AUTH = (CLIENT_CREDENTIALS, "jwt", "refresh-token", "session")
_COLUMNS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The options of `connections add`, as given."""

    base_url: str | None = None
    api_version: str | None = None
    auth: str | None = None
    consumer_key: str | None = None
    username: str | None = None
    private_key_file: Path | None = None
    audience: str | None = None
    client_id: str | None = None
    managers: Path | None = None
    fiscal_year_start_month: int | None = None
    from_stdin: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """Settings that are shown, and secrets that are not."""

    config: dict[str, Any]
    secret: dict[str, str] = field(repr=False)


def of_salesforce(told: Told) -> Credentials:
    """What an External Client App signs in with. BadInput names the option that is missing."""
    if told.base_url is None:
        raise BadInput("--base-url", "give the org's address, https://acme.my.salesforce.com")
    auth = told.auth or CLIENT_CREDENTIALS
    if auth not in SALESFORCE_AUTH:
        raise BadInput("--auth", f"{auth!r} is not one of {', '.join(SALESFORCE_AUTH)}")
    if auth != "jwt":
        names = ("username", "private_key_file", "audience")
        _refuse(f"auth {auth}", **{name: getattr(told, name) for name in names})
    config = {
        "base_url": told.base_url,
        "api_version": told.api_version or SALESFORCE_VERSION,
        "auth": auth,
    }
    if told.audience is not None:
        config["audience"] = told.audience
    return Credentials(config, _salesforce_secrets(told, auth))


def _salesforce_secrets(told: Told, auth: str) -> dict[str, str]:
    if auth == "session":
        return {"session_id": _secret(told, "session_id")}
    if told.consumer_key is None:
        raise BadInput("--consumer-key", "give the key of the app that Forestage logs in with")
    if auth == "jwt":
        if told.username is None:
            raise BadInput("--username", "give the user that the app logs in as")
        key = _private_key(told)
        return {
            "consumer_key": told.consumer_key,
            "username": told.username,
            "private_key": key,
        }
    names = ("consumer_secret", *(("refresh_token",) if auth == "refresh-token" else ()))
    return {"consumer_key": told.consumer_key, **{name: _secret(told, name) for name in names}}


def _private_key(told: Told) -> str:
    """The key from its file, else from stdin to the end, else from the environment."""
    if told.private_key_file is not None:
        try:
            return told.private_key_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput("--private-key-file", str(error)) from None
    return sys.stdin.read() if told.from_stdin else _secret(told, "private_key")


def _secret(told: Told, name: str) -> str:
    label = name.replace("_", " ")
    return secret_from(f"FORESTAGE_{name.upper()}", from_stdin=told.from_stdin, label=label)


def of_hubspot(told: Told) -> Credentials:
    """A static access token, or an OAuth app's secrets where it has a client id."""
    config: dict[str, Any] = {
        name: value
        for name in ("base_url", "api_version", "fiscal_year_start_month")
        if (value := getattr(told, name)) is not None
    }
    if told.managers is not None:
        config["managers"] = read_managers(told.managers)
    if told.client_id is None:
        return Credentials(config, {"access_token": _secret(told, "access_token")})
    secrets = {name: _secret(told, name) for name in ("client_secret", "refresh_token")}
    return Credentials(config, {"client_id": told.client_id, **secrets})


def read_managers(file: Path) -> dict[str, str]:
    """A CSV of two columns, with a heading: whom, and their manager.

    Whom: a team by name or id (`West`, `team:West`, `team:123`), or a person by e-mail or
    owner id (`ada@acme.example`, `owner:456`). The manager: e-mail or owner id.
    """
    found: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.reader(lines), start=1):
                cells = [cell.strip() for cell in row]
                if number == 1 or not any(cells):
                    continue
                if len(cells) != _COLUMNS or not all(cells):
                    raise BadInput("--managers", f"{file}: line {number}: whom, and their manager")
                whom, manager = cells
                key = _key(whom)
                if found.setdefault(key, manager) != manager:
                    raise BadInput(
                        "--managers", f"{file}: line {number}: {whom} stands there twice"
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput("--managers", f"{file}: {error}") from None
    return found


def _key(whom: str) -> str:
    if whom.startswith(("team:", "owner:")):
        return whom
    return f"owner:{whom}" if "@" in whom else f"team:{whom}"


def _refuse(what: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise BadInput(f"--{name.replace('_', '-')}", f"{what} has none")


VENDORS = {"salesforce": of_salesforce, "hubspot": of_hubspot}
