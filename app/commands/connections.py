"""forestage connections: the CRM accounts that Forestage serves."""

from typing import Annotated, Any

import typer
from rich.text import Text

from app.commands import adding
from app.commands.rows import connection_as_json
from app.commands.screen import Json, facts, opened, out, print_json, table
from app.errors import BadInput, Conflict
from app.services import connect
from app.services.switch import switch_mode
from app.store import connections

APP = typer.Typer(help="The CRM accounts that Forestage serves.", no_args_is_help=True)

APP.add_typer(adding.APP, name="add")

Name = Annotated[str, typer.Argument(help="Name of the connection.")]


@APP.command("list")
def list_connections(ctx: typer.Context, *, as_json_too: Json = False) -> None:
    """List all connections."""
    with opened(ctx) as parts, parts.db.read() as conn:
        rows = connections.list_all(conn)
    if as_json_too:
        print_json({"items": [connection_as_json(row) for row in rows], "next": None})
        return
    if not rows:
        out().print("No connections yet; see `forestage connections add --help`.")
        return
    cells = [
        (row.name, row.crm, row.account_name, row.mode, _moment(row.first_synced_at))
        for row in rows
    ]
    out().print(table("name", "crm", "account", "mode", "first synced", rows=cells))


@APP.command("show")
def show(ctx: typer.Context, name: Name, *, as_json_too: Json = False) -> None:
    """Show one connection, without its secret."""
    with opened(ctx) as parts, parts.db.read() as conn:
        row = connections.get(conn, name)
    if as_json_too:
        print_json(connection_as_json(row))
        return
    shown = connection_as_json(row) | {"account": f"{row.account_name} ({row.account_crm_id})"}
    for moment in ("created_at", "first_synced_at", "write_since_at"):
        shown[moment] = _moment(shown[moment])
    config = shown.pop("config")
    out().print(facts([*shown.items(), *config.items()]))


@APP.command("remove")
def remove(
    ctx: typer.Context,
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")
    ] = False,
    as_json_too: Json = False,
) -> None:
    """Forget a connection and everything read through it; the CRM stays as it is."""
    with opened(ctx, purpose="`forestage connections remove`") as parts:
        with parts.db.read() as conn:
            row = connections.get(conn, name)
        if not (yes or dry_run):
            question = f"Forget {row.name} and all history read through it?"
            typer.confirm(question, abort=True, err=True)
        if not dry_run:
            connect.remove(parts, name)
    if as_json_too:
        print_json({"connection": name, "removed": not dry_run})
    else:
        done = "Would forget" if dry_run else "Forgot"
        out().print(Text(f"{done} {row.name} ({row.account_name}) and all its history."))


@APP.command("mode")
def mode(
    ctx: typer.Context,
    name: Name,
    to: Annotated[str, typer.Argument(metavar="observe|write", help="The mode from now on.")],
    *,
    as_json_too: Json = False,
) -> None:
    """Switch between `observe` (nothing is written to the CRM) and `write`.

    On the switch to `write` the standing flags become the baseline: the top flag of each
    deal is written, within the weekly load; the rest are held. Before it, `forestage
    write-back --dry-run` shows what would be written.
    """
    if to not in ("observe", "write"):
        raise BadInput("observe|write", f"not {to!r}")
    with opened(ctx, purpose="`forestage connections mode`") as parts:
        with parts.db.read() as conn:
            row = connections.get(conn, name)
        if row.crm == "files" and to == "write":
            raise Conflict(f"{row.name} was imported from files: there is no CRM to write to")
        switch_mode(parts.db, row.id, to, clock=parts.clock)
        with parts.db.read() as conn:
            row = connections.get(conn, name)
    if as_json_too:
        print_json(connection_as_json(row))
    else:
        out().print(f"[bold]{row.name}[/] is in mode {row.mode}.")


@APP.command("share")
def share(
    ctx: typer.Context,
    name: Name,
    of_the_day: Annotated[
        float, typer.Argument(metavar="SHARE", help="Above 0, at most 1; 0.25 where not set.")
    ],
    *,
    as_json_too: Json = False,
) -> None:
    """Set the share of the CRM's daily calls that Forestage may make.

    Where it is used up a sync stops with what it has read so far, and goes on from there
    when calls are free again. The last tenth of the CRM's day is never taken.
    """
    if not 0 < of_the_day <= 1:
        raise BadInput("SHARE", f"{of_the_day:g} is not above 0 and at most 1")
    with opened(ctx, purpose="`forestage connections share`") as parts, parts.db.write() as conn:
        row = connections.get(conn, name)
        config = {**row.config, "call_share": f"{of_the_day:g}"}
        connections.update(conn, row.id, config=config)
        row = connections.get(conn, name)
    if as_json_too:
        print_json(connection_as_json(row))
    else:
        out().print(f"[bold]{row.name}[/] may make {of_the_day:.0%} of the CRM's daily calls.")


def _moment(at: Any) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
