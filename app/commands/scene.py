"""What the demo looks like: steps, the comparison with the truth, flags, what the CRM holds.

Plain words and box lines that also read well in 80 columns and without colour.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.status import Status
from rich.table import Table
from rich.text import Text

from app.commands.reasons import rows
from app.commands.screen import SEVERITY_STYLE
from app.services.demo import Outcome, Step, Tally, Watch, many
from app.services.flags import FlagView
from connectors.records import Standing

_NUMBER = 2
_TITLE = 36
_BODY_LINES = 14


def opening(*, deals: int, seed: int) -> RenderableType:
    """What is about to happen."""
    text = Text("Forestage", style="bold green")
    text.append(" turns a CRM's own history into coaching.\n", style="not bold default")
    text.append(
        f"This demo: a practice CRM with {deals:,} deals of two years (seed {seed}).\n",
        style="not bold default",
    )
    return text


class _Shown:
    """One step on the screen."""

    def __init__(self, title: str, status: Status | None) -> None:
        self.told = ""
        self._title = title
        self._status = status

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Show how far it is."""
        if self._status is not None:
            of = f" of {total:,}" if total else ""
            self._status.update(f"{self._title}: {step} {done:,}{of}")

    def tell(self, text: str) -> None:
        """Keep what came of it."""
        self.told = text


def watch(console: Console) -> Watch:
    """Shows each step as one numbered line with its result and its seconds."""
    number = 0

    @contextmanager
    def step(title: str) -> Iterator[Step]:
        nonlocal number
        number += 1
        begun = time.monotonic()
        if console.is_terminal:
            with console.status(title) as status:
                shown = _Shown(title, status)
                yield shown
        else:
            shown = _Shown(title, None)
            yield shown
        console.print(_line(number, title, shown.told, time.monotonic() - begun))

    return step


def _line(number: int, title: str, told: str, seconds: float) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
    grid.add_column(width=_NUMBER, justify="right", style="dim")
    grid.add_column(width=_TITLE)
    grid.add_column(width=7, justify="right", style="dim")
    grid.add_row(str(number), title, f"{seconds:.1f} s")
    return Group(grid, Padding(Text(told, style="cyan"), (0, 0, 0, _NUMBER + 2), expand=False))


def show(console: Console, outcome: Outcome, seconds: float) -> None:
    """Everything that came of it."""
    console.print()
    console.print(_comparison(outcome.rules))
    console.print()
    console.print("[bold]The most telling flags[/]")
    if not outcome.telling:
        console.print("None stands: with so few deals nothing was done lately that one would flag.")
    for flag in outcome.telling:
        console.print(_flag(flag))
    console.print()
    console.print("[bold]What now stands in the CRM[/] (read back through its API)")
    console.print(_standing(outcome))
    console.print(
        f"\n[bold]{outcome.calls}[/] CRM calls, [bold]{seconds:.0f}[/] seconds. "
        "`forestage demo --serve` leaves it running."
    )


def _comparison(rules: Mapping[str, Tally]) -> RenderableType:
    made = Table(
        title="What was planted, and what was found (deals)",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 3, 0, 0),
    )
    made.add_column("rule")
    for name in ("planted", "found", "missed", "false alarms"):
        made.add_column(name, justify="right")
    for slug, tally in rules.items():
        missed = f"[bold red]{tally.missed}[/]" if tally.missed else "0"
        alarms = f"{tally.false_alarms} of {tally.decoys} decoys"
        made.add_row(slug, f"{tally.planted}", f"{tally.found}", missed, alarms)
    return made


def _flag(flag: FlagView) -> RenderableType:
    deal = flag.deal or {}
    owner = (deal.get("owner") or {}).get("name") or "nobody"
    parts: list[RenderableType] = [Text(flag.sentence), Text(), rows(flag.evidence)]
    if flag.questions:
        parts += [Text(), Text(f"Ask: {flag.questions[0]}", style="italic")]
    severity = (flag.severity, SEVERITY_STYLE[flag.severity])
    return Panel(
        Group(*parts),
        title=Text.assemble(severity, f"  {flag.rule}  ", (flag.subject["name"], "bold")),
        title_align="left",
        subtitle=Text(f"{owner}, {deal.get('stage') or 'no stage'}, rank {flag.rank}"),
        subtitle_align="right",
    )


def _standing(outcome: Outcome) -> RenderableType:
    ended = many(len(outcome.flags) - len(outcome.standing), "flag")
    lines: list[RenderableType] = [
        _count(outcome.standing, "open flag", "severity", "owned by"),
        Text(f"{ended} ended since, kept as resolved"),
        _count(outcome.tasks, "coaching task", "status", "given to"),
    ]
    if outcome.tasks:
        lines += [Text("The fullest of these tasks:"), _task(outcome.tasks)]
    return Group(*lines)


def _count(standing: Sequence[Standing], noun: str, by: str, owned: str) -> Text:
    shares = Counter(str(one.values.get(by)) for one in standing).most_common()
    told = ", ".join(f"{count} {name}" for name, count in shares)
    owners = len({one.values.get("owner_crm_id") for one in standing})
    whose = f", {owned} {'1 person' if owners == 1 else f'{owners} people'}: {told}"
    return Text(many(len(standing), noun) + (whose if standing else ""))


def _task(tasks: Sequence[Standing]) -> RenderableType:
    task = max(tasks, key=lambda one: len(str(one.values.get("body") or "")))
    body = str(task.values.get("body") or "").splitlines()
    shown = body[:_BODY_LINES]
    if len(body) > len(shown):
        shown.append(f"... {len(body) - len(shown)} more lines")
    return Panel(
        Text("\n".join(shown)),
        title=Text(str(task.values.get("subject") or ""), style="bold"),
        title_align="left",
        subtitle=f"due {task.values.get('due_on')}",
        subtitle_align="right",
    )


def left_running(*, crm: str, api: str, data_dir: Path) -> RenderableType:
    """Where to look while it is left running."""
    lines = (
        f"practice CRM    {crm}",
        f"Forestage API   {api}/v1/flags?connection=practice",
        f"described at    {api}/openapi.json",
        f"in a terminal   forestage --data-dir {data_dir} flags",
    )
    title = "Left running; Ctrl-C ends it"
    return Panel(Text("\n".join(lines), overflow="fold"), title=title, title_align="left")
