"""forestage connections add: one command a vendor, since each wants to know other things."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.credentials import (
    SALESFORCE_AUTH,
    VENDORS,
    Told,
)
from app.commands.rows import connection_as_json
from app.commands.screen import Json, opened, out, print_json
from app.services import connect

APP = typer.Typer(
    help="Connect a CRM account; it starts in mode `observe`, in which nothing is written to it.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Option(help="A name of your own: a-z, 0-9, - and _.")]
Version = Annotated[str | None, typer.Option(help="Version of the CRM's API.")]
FromStdin = Annotated[
    bool, typer.Option("--secret-stdin", help="Read the secrets from stdin, one a line.")
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Renew the credentials of a present connection.")
]


@APP.command("salesforce")
def salesforce(  # noqa: PLR0913 - its options
    ctx: typer.Context,
    *,
    name: Name,
    base_url: Annotated[str | None, typer.Option(help="https://acme.my.salesforce.com")] = None,
    consumer_key: Annotated[str | None, typer.Option(help="Of the app for Forestage.")] = None,
    auth: Annotated[
        str | None, typer.Option(help=f"{', '.join(SALESFORCE_AUTH)}.", show_default=False)
    ] = None,
    username: Annotated[str | None, typer.Option(help="With jwt: the user.")] = None,
    private_key_file: Annotated[
        Path | None, typer.Option(help="With jwt: a PEM file, instead of the environment.")
    ] = None,
    audience: Annotated[
        str | None, typer.Option(help="With jwt: the login page, where it is another.")
    ] = None,
    api_version: Version = None,
    secret_stdin: FromStdin = False,
    replace: Replace = False,
    as_json_too: Json = False,
) -> None:
    """Connect a Salesforce org.

    Secrets come from the environment, from stdin, or are asked for:
    FORESTAGE_CONSUMER_SECRET; with `--auth jwt` FORESTAGE_PRIVATE_KEY or a file, with
    refresh-token FORESTAGE_REFRESH_TOKEN too, with session FORESTAGE_SESSION_ID alone.
    With `--replace`, settings that are not given stay.
    """
    told = Told(
        base_url=base_url,
        api_version=api_version,
        auth=auth,
        consumer_key=consumer_key,
        username=username,
        private_key_file=private_key_file,
        audience=audience,
        from_stdin=secret_stdin,
    )
    _add(ctx, name, crm="salesforce", told=told, replace=replace, as_json=as_json_too)


@APP.command("hubspot")
def hubspot(  # noqa: PLR0913 - its options
    ctx: typer.Context,
    *,
    name: Name,
    base_url: Annotated[
        str | None, typer.Option(help="Where it is not HubSpot's own address.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="Of an OAuth app; none with a service key.")
    ] = None,
    managers: Annotated[
        Path | None, typer.Option(help="A CSV of teams or people, and their managers.")
    ] = None,
    fiscal_year_start_month: Annotated[
        int | None, typer.Option(min=1, max=12, help="Where the year begins; else 1.")
    ] = None,
    api_version: Version = None,
    secret_stdin: FromStdin = False,
    replace: Replace = False,
    as_json_too: Json = False,
) -> None:
    """Connect a HubSpot portal.

    Secrets come from the environment, from stdin, or are asked for:
    FORESTAGE_ACCESS_TOKEN, or with `--client-id` FORESTAGE_CLIENT_SECRET and
    FORESTAGE_REFRESH_TOKEN. With `--replace`, settings that are not given stay.
    """
    told = Told(
        base_url=base_url,
        api_version=api_version,
        client_id=client_id,
        managers=managers,
        fiscal_year_start_month=fiscal_year_start_month,
        from_stdin=secret_stdin,
    )
    _add(ctx, name, crm="hubspot", told=told, replace=replace, as_json=as_json_too)


def _add(
    ctx: typer.Context,
    name: str,
    *,
    crm: str,
    told: Told,
    replace: bool,
    as_json: bool,
) -> None:
    given = VENDORS[crm](told)
    with opened(ctx, purpose="`forestage connections add`") as parts:
        row = connect.add(
            parts, name, crm, config=given.config, secret=given.secret, replace=replace
        )
    if as_json:
        print_json(connection_as_json(row))
    else:
        out().print(f"Connected [bold]{row.name}[/]: {row.account_name} ({row.account_crm_id}).")
        out().print(f"Next: forestage sync --connection {row.name}", style="dim")
