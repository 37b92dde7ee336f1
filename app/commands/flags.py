"""forestage flags, notices and explain: what stands, what is no flag, and why."""

from typing import Annotated

import typer
from rich.text import Text

from app.commands import reasons
from app.commands.screen import (
    SEVERITY_STYLE,
    After,
    ConnectionName,
    Json,
    Limit,
    opened,
    out,
    print_json,
    table,
)
from app.services import connect, flags
from app.services.explain import explain as why
from app.services.notices import list_notices as told


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("flags")(list_flags)
    app.command("notices")(list_notices)
    app.command()(explain)


def list_flags(  # noqa: PLR0913 - its options
    ctx: typer.Context,
    *,
    connection: ConnectionName = None,
    status: Annotated[
        list[str] | None,
        typer.Option(help=f"Repeatable: {', '.join(flags.STATUSES)}; else what stands."),
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule's.")] = None,
    severity: Annotated[str | None, typer.Option(help="info, warning or critical.")] = None,
    owner: Annotated[str | None, typer.Option(help="The owner's name or CRM id.")] = None,
    limit: Limit = None,
    after: After = None,
    as_json: Json = False,
) -> None:
    """List the flags that stand, best rank first, held ones too."""
    with opened(ctx) as parts:
        row = connect.chosen(parts, connection)
        chosen = flags.FlagFilters(status=status, rule=rule, severity=severity, owner=owner)
        page = flags.list_flags(parts.db, row.id, filters=chosen, limit=limit, after=after)
    if as_json:
        print_json(page.as_json())
        return
    if not page.items:
        out().print("No flags.")
        return
    shown = table("rank", "severity", "rule", "deal", "why", rows=())
    for flag in page.items:
        mark = f" (held: {flag.held})" if flag.held else ""
        style = SEVERITY_STYLE[flag.severity]
        shown.add_row(
            str(flag.rank),
            f"[{style}]{flag.severity}[/]",
            flag.rule,
            Text(flag.subject["name"]),
            Text(flag.sentence + mark),
        )
    out().print(shown)
    if page.next:
        out().print(f"More: --after {page.next}", style="dim")


def list_notices(
    ctx: typer.Context,
    *,
    connection: ConnectionName = None,
    limit: Limit = None,
    after: After = None,
    as_json: Json = False,
) -> None:
    """List whole incidents that are no flag, such as a batch of deals; newest first."""
    with opened(ctx) as parts:
        row = connect.chosen(parts, connection)
        page = told(parts.db, row.id, limit=limit, after=after)
    if as_json:
        print_json(page.as_json())
        return
    if not page.items:
        out().print("No notices.")
        return
    cells = [
        (item["at"][:10], item["kind"], len(item["deals"]), item["sentence"]) for item in page.items
    ]
    out().print(table("on", "kind", "deals", "what", rows=cells))
    if page.next:
        out().print(f"More: --after {page.next}", style="dim")


def explain(
    ctx: typer.Context,
    deal: Annotated[str, typer.Argument(help="Our id of the deal, the CRM's, or its name.")],
    *,
    connection: ConnectionName = None,
    as_json: Json = False,
) -> None:
    """Say why a deal is flagged, and why not: each rule with what it saw."""
    with opened(ctx) as parts:
        row = connect.chosen(parts, connection)
        found = why(parts.db, row.id, deal, clock=parts.clock)
    if as_json:
        print_json(found.as_json())
    else:
        out().print(reasons.of(found))
