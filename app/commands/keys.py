"""forestage keys: who may use the API."""

from typing import Annotated

import typer

from app.commands.screen import Json, opened, out, print_json, table
from app.services import keys as service
from app.store import keys

APP = typer.Typer(help="The keys of the API.", no_args_is_help=True)


@APP.command("list")
def list_keys(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the keys: names and prefixes, never a key itself."""
    with opened(ctx) as parts, parts.db.read() as conn:
        rows = keys.list_all(conn)
    if as_json:
        shown = [
            {"name": row.name, "prefix": f"fst_{row.prefix}", "created_at": row.created_at}
            for row in rows
        ]
        print_json({"items": shown, "next": None})
        return
    cells = [(row.name, f"fst_{row.prefix}_...", f"{row.created_at:%Y-%m-%d}") for row in rows]
    out().print(table("name", "begins with", "made on", rows=cells))


@APP.command("new")
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Who or what uses it.")],
    *,
    as_json: Json = False,
) -> None:
    """Make a key and print it: the only time that it is shown."""
    with opened(ctx, purpose="`forestage keys new`") as parts:
        text = service.make(parts, name).get_secret_value()
    if as_json:
        print_json({"name": name, "key": text})
    else:
        out().print(text, soft_wrap=True)


@APP.command("remove")
def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the key.")],
    *,
    as_json: Json = False,
) -> None:
    """Remove a key: it is refused from now on."""
    with opened(ctx, purpose="`forestage keys remove`") as parts, parts.db.write() as conn:
        keys.remove(conn, name)
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        out().print(f"Removed the key {name}.")
