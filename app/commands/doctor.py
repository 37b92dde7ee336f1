"""forestage doctor: what is missing at a connection, and which rules it blinds."""

from collections.abc import Mapping

import typer
from rich.text import Text

from app.commands.screen import ConnectionName, Json, opened, out, print_json
from app.services import connect
from app.services.doctor import Diagnosis, Verdict, diagnose

_STYLES = {"ok": "green", "warning": "yellow", "blind": "magenta", "broken": "bold red"}
_SIGHTS: Mapping[str, str] = {"sees": "green", "half-blind": "yellow", "blind": "magenta"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(ctx: typer.Context, *, connection: ConnectionName = None, as_json: Json = False) -> None:
    """Check a connection: what is missing, which rules it blinds, and what to do.

    Looks at credentials, API version, permissions, fields, history, limits, clocks, set-up
    and data; writes nothing. Exits with 0 when all is well or there are only warnings, 7 when
    rules are blind for something that they need, 8 when something is broken.
    """
    with opened(ctx) as parts:
        found = diagnose(parts, connect.chosen(parts, connection))
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
    raise typer.Exit(found.exit_code)


def _show(found: Diagnosis) -> None:
    area = ""
    for check in found.checks:
        if check.area != area:
            area = check.area
            out().print(Text(area, style="bold"))
        for line in _lines(check):
            out().print(line, soft_wrap=True)
    out().print(Text("rules", style="bold"))
    for rule in found.rules:
        out().print(Text.assemble(_word(rule.sight, _SIGHTS), rule.rule))
        for why in rule.why:
            out().print(Text(f"{'':13}{why}", style="dim"), soft_wrap=True)
    out().print(Text.assemble("\n", found.connection, ": ", (found.state, _STYLES[found.state])))


def _lines(check: Verdict) -> list[Text]:
    lines = [Text.assemble(_word(check.state, _STYLES), check.told)]
    if check.state != "ok" and check.advice:
        lines.append(Text(f"{'':13}To do: {check.advice}.", style="dim"))
    return lines


def _word(word: str, styles: Mapping[str, str]) -> tuple[str, str]:
    return f"  {word:11}", styles[word]
