"""What commands share: options, consoles, progress bars, JSON, and settings from the context."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from app import bootstrap, log, settings
from app.errors import BadInput
from app.services.parts import Parts
from app.services.progress import Progress as Report
from app.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]
ConnectionName = Annotated[
    str | None,
    typer.Option("--connection", "-c", help="Name of the connection; not needed with only one."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="How many at most.")]
After = Annotated[str | None, typer.Option(help="`next` of the page before.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")
]

SEVERITY_STYLE = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def out() -> Console:
    """The console of results: stdout."""
    return Console(highlight=False, soft_wrap=False)


def err() -> Console:
    """The console of everything else: stderr."""
    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """`value` on stdout. Instants in ISO 8601."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def settings_of(ctx: typer.Context, **given: Any) -> Settings:
    """Settings for this call, and logging set up by them."""
    data_dir: Path | None = ctx.obj
    chosen = settings.load(
        **given if data_dir is None else {"data_dir": data_dir.absolute(), **given}
    )
    log.configure(chosen.log)
    return chosen


@contextmanager
def opened(ctx: typer.Context, *, purpose: str | None = None) -> Iterator[Parts]:
    """The parts of this call; with a `purpose` for writing, else for reading."""
    with bootstrap.opened(settings_of(ctx), purpose=purpose) as parts:
        yield parts


@contextmanager
def progress_bar() -> Iterator[Report]:
    """A bar on stderr for each step that reports; silent where stderr is no terminal."""
    console = err()
    if not console.is_terminal:
        yield _ignore
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report


def _ignore(step: str, done: int, total: int | None) -> None:
    """No terminal: nobody watches."""


def table(*columns: str, rows: Sequence[Sequence[object]]) -> Table:
    """A plain table; None shows as nothing."""
    made = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        made.add_row(*(_cell(cell) for cell in row))
    return made


def facts(pairs: Sequence[tuple[str, object]]) -> Table:
    """A two-column list of names and values."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim")
    made.add_column()
    for name, value in pairs:
        made.add_row(Text(name), _cell(value))
    return made


def _cell(value: object) -> Text:
    """Text as it is: what a CRM's users wrote is never markup."""
    return Text("" if value is None else str(value))


def secret_from(variable: str, *, from_stdin: bool, label: str) -> str:
    """A secret from the environment, from stdin, or typed unseen; never from the arguments."""
    given = os.environ.get(variable)
    if from_stdin:
        given = sys.stdin.readline().strip()
    elif not given and err().is_terminal:
        given = str(typer.prompt(label, hide_input=True, err=True))
    if not given:
        raise BadInput(variable, f"not set; set it, or give the {label} on stdin (see --help)")
    return given
