"""forestage sync, score, write-back: the three verbs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from app.commands.screen import (
    ConnectionName,
    DryRun,
    Json,
    facts,
    opened,
    out,
    print_json,
    progress_bar,
    table,
)
from app.errors import BadInput
from app.services import connect, work
from app.store.runs import RunKind


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sync)
    app.command()(score)
    app.command("write-back")(write_back)


def sync(
    ctx: typer.Context,
    *,
    connection: ConnectionName = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    as_json: Json = False,
) -> None:
    """Read what changed in the CRM into the store."""
    result = _run(ctx, connection, "sync", arguments={"full": True} if full else {})
    if as_json:
        print_json(result)
        return
    shown = ("read", "inserted", "updated", "changes", "calls", "seconds")
    out().print(facts([(name, told(result[name])) for name in shown]))
    for warning in result["warnings"]:
        out().print(f"[yellow]note:[/] {warning}")


def score(
    ctx: typer.Context,
    *,
    connection: ConnectionName = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="A day or an instant (ISO 8601, UTC): shows the flags of then."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Find what the rules find and bring the flags up to date.

    With a past `--as-of` nothing is stored: the flags that would have stood are listed.
    Where a rule failed, the others are scored and the exit code is 1.
    """
    arguments: dict[str, Any] = {} if as_of is None else {"as_of": instant(as_of).isoformat()}
    if dry_run:
        arguments["dry_run"] = True
    result = _run(ctx, connection, "score", arguments=arguments)
    print_json(result) if as_json else _show_score(result)
    if any(counts["errors"] for counts in result["by_rule"].values()):
        raise typer.Exit(1)


def _show_score(result: Mapping[str, Any]) -> None:
    columns = ("found", "opened", "kept", "resolved", "reopened", "held", "excluded", "errors")
    rows = [
        (slug, *(told(counts[name]) for name in columns))
        for slug, counts in result["by_rule"].items()
    ]
    out().print(table("rule", *columns, rows=rows))
    out().print(
        f"{result['deals']:,} deals as of {result['as_of']}, {result['seconds']:.1f} s", style="dim"
    )
    items = result.get("items", ())
    cells = [(item["severity"], item["subject"]["name"], item["sentence"]) for item in items]
    if cells:
        out().print(table("severity", "deal", "why", rows=cells))


def write_back(
    ctx: typer.Context,
    *,
    connection: ConnectionName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Write flags and coaching tasks that changed into the CRM (mode `write` only)."""
    arguments = {"dry_run": True} if dry_run else {}
    result = _run(ctx, connection, "write_back", arguments=arguments)
    if as_json:
        print_json(result)
        return
    items = result.pop("items", ())
    if result.pop("mode") == "observe":
        out().print("In mode observe nothing is written: see `forestage connections mode --help`.")
    if dry_run:
        out().print(f"{len(items):,} records would be written.")
    else:
        out().print(facts([(name, told(value)) for name, value in result.items()]))
    for item in items:
        payload = item["payload"]
        named = payload.get("deal_name") or payload["subject"]
        out().print(Text.assemble((f"{item['kind']:5}", "dim"), str(named), "  ", _words(payload)))


def _run(
    ctx: typer.Context, name: str | None, kind: RunKind, *, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Do it here and now. What stores nothing needs no lock and leaves no run behind."""
    stores = not arguments.keys() & {"as_of", "dry_run"}
    purpose = f"`forestage {kind.replace('_', '-')}`" if stores else None
    with opened(ctx, purpose=purpose) as parts, progress_bar() as progress:
        row = connect.chosen(parts, name)
        do = work.recorded if stores else work.perform
        return do(parts, row, kind, arguments=arguments, progress=progress)


def instant(text: str) -> datetime:
    """A day (its beginning) or an instant, in UTC where no offset is given."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput("--as-of", f"{text!r} is no day or instant like 2026-03-08T12:00Z") from None


def _words(payload: Mapping[str, Any]) -> str:
    return str(payload.get("reason") or f"due {payload['due_on']}")


def told(value: Any) -> str:
    """A number, or several by name, as people read them."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {told(part)}" for name, part in value.items()) or "nothing"
    if isinstance(value, float):
        return f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
