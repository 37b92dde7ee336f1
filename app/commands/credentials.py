"""What each vendor wants to know of a connection: its settings, and secrets that are never
arguments.
"""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.commands.screen import secret_from
from app.errors import BadInput

SALESFORCE_VERSION = "66.0"
_COLUMNS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The options of `connections add`, as given."""

    base_url: str | None = None
    api_version: str | None = None
    consumer_key: str | None = None
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
    """An External Client App's key and secret. BadInput names the option that is missing."""
    if told.base_url is None:
        raise BadInput("--base-url", "give the org's address, https://acme.my.salesforce.com")
    if told.consumer_key is None:
        raise BadInput("--consumer-key", "give the key of the app that Forestage logs in with")
    _refuse("salesforce", client_id=told.client_id, managers=told.managers)
    secret = secret_from(
        "FORESTAGE_CONSUMER_SECRET", from_stdin=told.from_stdin, label="consumer secret"
    )
    return Credentials(
        {"base_url": told.base_url, "api_version": told.api_version or SALESFORCE_VERSION},
        {"consumer_key": told.consumer_key, "consumer_secret": secret},
    )


def of_hubspot(told: Told) -> Credentials:
    """A static access token, or an OAuth app's secrets where it has a client id."""
    _refuse("hubspot", consumer_key=told.consumer_key)
    config: dict[str, Any] = {
        name: value
        for name in ("base_url", "api_version", "fiscal_year_start_month")
        if (value := getattr(told, name)) is not None
    }
    if told.managers is not None:
        config["managers"] = read_managers(told.managers)
    if told.client_id is None:
        token = secret_from(
            "FORESTAGE_ACCESS_TOKEN", from_stdin=told.from_stdin, label="access token"
        )
        return Credentials(config, {"access_token": token})
    secrets = {
        name: secret_from(f"FORESTAGE_{name.upper()}", from_stdin=told.from_stdin, label=label)
        for name, label in (
            ("client_secret", "client secret"),
            ("refresh_token", "refresh token"),
        )
    }
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


def _refuse(crm: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise BadInput(f"--{name.replace('_', '-')}", f"{crm} has none")


VENDORS = {"salesforce": of_salesforce, "hubspot": of_hubspot}
