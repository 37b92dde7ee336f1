"""forestage import: try the product on an export, before any API access."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app import bootstrap
from app.commands.screen import (
    DryRun,
    Json,
    err,
    facts,
    opened,
    out,
    print_json,
    progress_bar,
    table,
)
from app.services.importing import ImportReport, import_files

SHOWN = 20
STRICT, REFUSED = 2, 6


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


TimeZone = Annotated[
    str | None,
    typer.Option("--time-zone", "--timezone", help="IANA name; UTC where none is told."),
]
DateOrder = Annotated[
    str | None,
    typer.Option("--date-order", "--date-format", help="mdy, dmy or ymd; else inferred."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Store nothing if any row is refused.")]


def import_(  # noqa: PLR0913 - its options
    ctx: typer.Context,
    *,
    connection: Annotated[str, typer.Option("--connection", "-c", help="A name of your own.")],
    deals: Annotated[Path, typer.Option(help="Deals, one a row: CSV or Parquet.")],
    history: Annotated[Path, typer.Option(help="Their history: snapshots or changes.")],
    stages: Annotated[Path | None, typer.Option(help="Stages in their order.")] = None,
    people: Annotated[Path | None, typer.Option(help="People and their managers.")] = None,
    activities: Annotated[Path | None, typer.Option(help="Meetings, calls, mails.")] = None,
    contacts: Annotated[Path | None, typer.Option(help="Contact roles on deals.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML with your column names.")] = None,
    time_zone: TimeZone = None,
    date_order: DateOrder = None,
    strict: Strict = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read an export of a CRM into the store; rows that can't be read are told one by one.

    Exit code 6: done, but rows were refused. docs/import.md has the columns.
    """
    given = {"deals": deals, "history": history, "stages": stages, "people": people}
    given |= {"activities": activities, "contacts": contacts}
    files = {kind: path for kind, path in given.items() if path is not None}
    purpose = None if dry_run else "`forestage import`"
    with opened(ctx, purpose=purpose) as parts, progress_bar() as progress:
        source = bootstrap.open_files(
            files,
            name=connection,
            now=parts.clock.now(),
            mapping=mapping,
            time_zone=time_zone,
            date_order=date_order,
        )
        stop = strict and any(problem.level == "refused" for problem in source.problems)
        report = import_files(
            parts.db,
            source,
            name=connection,
            clock=parts.clock,
            store=not (dry_run or stop),
            progress=progress,
        )
    if as_json:
        print_json(report.as_json())
    else:
        show(report)
    if report.refused:
        raise typer.Exit(STRICT if strict else REFUSED)


def show(report: ImportReport) -> None:
    """The report for a person: totals on stdout, the first problems on stderr."""
    read = [(kind, f"{count:,}") for kind, count in report.rows.items() if count]
    out().print(facts([*read, ("refused", f"{report.refused:,}"), ("noted", f"{report.noted:,}")]))
    for level, kinds in report.by_kind.items():
        for kind, count in kinds.items():
            out().print(f"  {level} {count:,} x {kind.replace('_', ' ')}", style="dim")
    for warning in report.warnings:
        out().print(f"[yellow]note:[/] {_plain(warning)}")
    rows = [_row(problem.as_json()) for problem in report.problems[:SHOWN]]
    if rows:
        err().print(table("", "place", "column", "value", "reason", rows=rows))
    if len(report.problems) > SHOWN:
        err().print(f"... and {len(report.problems) - SHOWN:,} more; --json has them all")
    if report.sync is None:
        out().print("Nothing was stored.")
    else:
        out().print(f"Next: forestage score --connection {report.connection}", style="dim")


def _row(problem: Mapping[str, object]) -> tuple[str, ...]:
    place = f"{problem['file']}:{problem['line']}"
    cells = (problem["level"], place, problem["column"], problem["value"], problem["reason"])
    return tuple("" if cell is None else str(cell) for cell in cells)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
